import { oneOfEachEngine } from '../one-of-each-engine.ts'
import { overServices } from '../over-services.ts'
import { processorNs } from '../proc.ts'
import type { Point, Series } from '../results.ts'
import type { Scenario, UsableService } from '../scenario.ts'
import type { Client } from '../service-client/client.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined, type Measured } from '../turn-by-turn.ts'

const TURNS = { guard: 1, quick: 2, full: 10 }
const FOR_MS = 500
const LOADS = [
  { name: '1 client, 1 in flight', clients: 1, inFlight: 1 },
  { name: '8 clients, 8 in flight each', clients: 8, inFlight: 8 },
] as const
const IN_PROCESS = 'in-process'

/** One for each load. */
type Answered = readonly { readonly rate: number; readonly processorUs: number }[]

export const smallQueries: Scenario = {
  name: 'small-queries',
  title: 'Small queries, through a server and in the process',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const stages = new Map<string, Crew>()
    try {
      const turns = await overServices(context, {
        // The first warms all up.
        turns: TURNS[context.scale] + 1,
        leaveOut: oneOfEachEngine(context, ['bare-sdk', IN_PROCESS]),
        async measure(usable) {
          const { name } = usable.service
          const crew = stages.get(name) ?? (await Crew.gather(context, usable))
          stages.set(name, crew)
          const measured: { rate: number; processorUs: number }[] = []
          for (const load of LOADS) measured.push(await crew.run(load))
          return measured
        },
      })
      const warm = { ...turns, turns: new Map([...turns.turns].map(([name, gave]) => [name, gave.slice(1)])) }
      return resultsOf(warm)
    } finally {
      for (const crew of stages.values()) await crew[Symbol.asyncDispose]()
    }
  },
}

function resultsOf(turns: Measured<Answered>) {
  const method =
    `\`RETURN $x + 1\`, asked by the official SDK, in memory; ${FOR_MS} ms in each turn, services in turns, so that ratios within a turn stand ` +
    'what else the machine does. Server and clients share the processors. The engine in the process has one process with all that is in flight.'
  const axis = { title: 'load', scale: 'category' } as const
  const each = (gave: readonly Answered[], value: (one: Answered[number]) => number): readonly Point[] =>
    LOADS.map(({ name }, load) => summarize(gave.flatMap((turn) => turn[load] ?? []).map(value), name))
  const inProcess = turns.turns.get(IN_PROCESS)
  return [
    {
      name: smallQueries.name,
      title: smallQueries.title,
      question: 'How many small queries does it answer?',
      method,
      unit: 'per second' as const,
      better: 'higher' as const,
      axis,
      ...combined(turns, (gave) => [{ points: each(gave, ({ rate }) => rate) }]),
    },
    {
      name: 'small-queries-processor',
      title: 'Small queries: the server’s processor time for one',
      question: 'What does the process that answers pay for a query?',
      method: `${method} Of the process that answers, all its threads; in the process also what asks.`,
      unit: 'µs' as const,
      better: 'lower' as const,
      axis,
      ...combined(turns, (gave) => [{ points: each(gave, ({ processorUs }) => processorUs) }]),
    },
    ...(inProcess === undefined ? [] : [ratioTo(inProcess, turns, method)]),
  ]
}

function ratioTo(inProcess: readonly Answered[], turns: Measured<Answered>, method: string) {
  const series = [...turns.turns]
    .filter(([subject]) => subject !== IN_PROCESS)
    .map(([subject, gave]): Series => {
      const points = LOADS.map(({ name }, load) =>
        summarize(
          gave.map((turn, n) => (turn[load]?.rate ?? 0) / (inProcess[n]?.[load]?.rate ?? 0)),
          name,
        ),
      )
      return { subject, points }
    })
  return {
    name: 'small-queries-ratio',
    title: 'Small queries, against the engine in the process',
    question: 'What share of the queries remains when there is a server in between?',
    method: `${method} Each sample is the quotient of one turn.`,
    unit: 'ratio' as const,
    better: 'higher' as const,
    axis: { title: 'load', scale: 'category' as const },
    series,
    leftOut: [...turns.leftOut, { subject: IN_PROCESS, reason: 'it is what the others are compared with' }],
    failed: turns.failed,
  }
}

/** The clients of one service, connected for all turns. */
class Crew implements AsyncDisposable {
  readonly #stage: Stage
  readonly #clients: readonly Client[]
  readonly #server: number
  readonly #isShared: boolean

  private constructor(stage: Stage, clients: readonly Client[], server: number, isShared: boolean) {
    this.#stage = stage
    this.#clients = clients
    this.#server = server
    this.#isShared = isShared
  }

  static async gather(context: Parameters<Scenario['measure']>[0], usable: UsableService): Promise<Crew> {
    const isShared = usable.service.shared
    const stage = await Stage.open(context, usable, { name: 'memory', storage: 'memory' })
    try {
      const clients = await stage.startAll(isShared ? Math.max(...LOADS.map((load) => load.clients)) : 1)
      const answers = await Promise.all(clients.map((client) => client.ask('connect')))
      return new Crew(stage, clients, answers[0]?.server ?? 0, isShared)
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  async run({ clients, inFlight }: (typeof LOADS)[number]): Promise<Answered[number]> {
    const taking = this.#clients.slice(0, clients)
    const each = this.#isShared ? inFlight : clients * inFlight
    const before = processorNs(this.#server)
    const said = await Promise.all(taking.map((client) => client.ask('small', each, FOR_MS)))
    const used = processorNs(this.#server) - before
    return {
      rate: said.reduce((sum, { queries, tookMs }) => sum + (queries * 1_000) / tookMs, 0),
      processorUs: used / 1_000 / said.reduce((sum, { queries }) => sum + queries, 0),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stage[Symbol.asyncDispose]()
  }
}
