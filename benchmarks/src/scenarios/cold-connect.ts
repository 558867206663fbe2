import { overServices } from '../over-services.ts'
import type { Scenario } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const TURNS = { guard: 1, quick: 2, full: 10 }

export const coldConnect: Scenario = {
  name: 'cold-connect',
  title: 'The first connect: nothing runs yet',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: TURNS[context.scale],
      leaveOut: ({ service }) => service.lacks.start,
      async measure(usable, turn) {
        await using stage = await Stage.open(context, usable, { name: turn })
        const client = await stage.start()
        const { tookMs } = await client.ask('connect')
        return tookMs
      },
    })
    return {
      name: coldConnect.name,
      title: coldConnect.title,
      question: 'How long does the first program wait for its database?',
      method:
        'A program that has loaded its modules connects in an empty folder (rocksdb, each write synced), until it is signed in on its ' +
        `database; ${TURNS[context.scale]} times, each in a new folder and a new process.`,
      unit: 'ms',
      better: 'lower',
      ...combined(turns, (gave) => [{ points: [summarize(gave)] }]),
    }
  },
}
