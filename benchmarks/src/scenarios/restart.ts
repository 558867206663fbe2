import { overServices } from '../over-services.ts'
import type { Scenario } from '../scenario.ts'
import { kill, processesOf } from '../services/processes-of.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const TURNS = { guard: 1, quick: 1, full: 8 }

export const restart: Scenario = {
  name: 'restart',
  title: 'The server is killed, and a query is answered',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: TURNS[context.scale],
      leaveOut: ({ service }) => service.lacks.restart,
      async measure(usable, turn) {
        await using stage = await Stage.open(context, usable, { name: turn })
        const client = await stage.start()
        const { server } = await client.ask('connect')
        await client.ask('answer')
        const process = processesOf(stage.dir).find(({ pid }) => pid === server)
        if (process === undefined) throw new Error(`the server, pid ${server}, is not there`)
        const killedNs = globalThis.process.hrtime.bigint()
        kill(process)
        const { atNs } = await client.ask('answer')
        return Number(BigInt(atNs) - killedNs) / 1e6
      },
    })
    return {
      name: restart.name,
      title: restart.title,
      question: 'For how long is a program without its database when the server crashes?',
      method:
        'The server of a connected program is killed (SIGKILL), and the program asks a query on the connection that it has, which is ' +
        `answered once the server was replaced; ${TURNS[context.scale]} times, each in a new folder. It includes the pause of half a second before a restart.`,
      unit: 'ms',
      better: 'lower',
      ...combined(turns, (gave) => [{ points: [summarize(gave)] }]),
    }
  },
}
