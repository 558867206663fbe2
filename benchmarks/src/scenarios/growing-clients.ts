import { oneOfEachEngine } from '../one-of-each-engine.ts'
import { overServices } from '../over-services.ts'
import { rssMb } from '../proc.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { curveOf, summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const SIZES = { guard: [1, 2], quick: [1, 4, 16], full: [1, 2, 4, 8, 16, 32, 64] }
const FOR_MS = { guard: 200, quick: 1_000, full: 5_000 }
const WARM_UP_MS = 200

interface Crowd {
  readonly size: number
  readonly rate: number
  readonly latencyMs: readonly number[]
  readonly serverMb: number
}

export const growingClients: Scenario = {
  name: 'growing-clients',
  title: 'More clients: latency of a small query',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: 1,
      leaveOut: oneOfEachEngine(context),
      async measure(usable) {
        await using stage = await Stage.open(context, usable, { name: 'crowd', storage: 'memory', slots: 256 })
        const crowds: Crowd[] = []
        const clients = []
        let server = 0
        for (const size of SIZES[context.scale]) {
          context.say(`${usable.service.title}, ${size} clients`)
          const more = await stage.startAll(size - clients.length)
          for (const answer of await Promise.all(more.map((client) => client.ask('connect'))))
            server = answer.server ?? server
          clients.push(...more)
          await Promise.all(clients.map((client) => client.ask('small', 1, WARM_UP_MS)))
          const said = await Promise.all(clients.map((client) => client.ask('small', 1, FOR_MS[context.scale])))
          crowds.push({
            size,
            rate: said.reduce((sum, { queries, tookMs }) => sum + (queries * 1_000) / tookMs, 0),
            latencyMs: said.flatMap(({ latencyMs }) => latencyMs),
            serverMb: rssMb(server),
          })
        }
        return crowds
      },
    })
    const method =
      'So many processes, each with one connection, ask `RETURN $x + 1` one after the other, in memory, all at the same time, for ' +
      `${FOR_MS[context.scale] / 1_000} s. Clients and server share the processors.`
    const curve = (value: (crowd: Crowd) => readonly number[]) =>
      combined(turns, ([crowds = []]) => [curveOf(crowds.map((crowd) => summarize(value(crowd), crowd.size)))])
    const axis = { title: 'clients', scale: 'log' } as const
    return [
      {
        name: growingClients.name,
        title: growingClients.title,
        question: 'What does a client feel of the others?',
        method,
        unit: 'ms',
        better: 'lower',
        axis,
        ...curve(({ latencyMs }) => latencyMs),
      },
      {
        name: 'growing-clients-rate',
        title: 'More clients: small queries of all together',
        question: 'How much more is done?',
        method,
        unit: 'per second',
        better: 'higher',
        axis,
        ...curve(({ rate }) => [rate]),
      },
      {
        name: 'growing-clients-memory',
        title: 'More clients: memory of the server',
        question: 'What does a client cost?',
        method: `${method} Resident memory of the process that answers, at the end.`,
        unit: 'MB',
        better: 'lower',
        axis,
        ...curve(({ serverMb }) => [serverMb]),
      },
    ]
  },
}
