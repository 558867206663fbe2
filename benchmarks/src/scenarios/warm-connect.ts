import { overServices } from '../over-services.ts'
import type { Scenario, UsableService } from '../scenario.ts'
import { Stage } from '../stage.ts'
import { summarize } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'

const TURNS = { guard: 2, quick: 2, full: 4 }
const ROUNDS = { guard: 15, quick: 8, full: 40 }

export const WARM_CONNECT_RATIO = 'warm-connect-ratio'
export const BARE_SDK = 'the bare SDK, same server'

export const warmConnect: Scenario = {
  name: 'warm-connect',
  title: 'A further connect: the server runs',
  scale: 'guard',
  needsLinux: true,
  async measure(context) {
    const turns = await overServices(context, {
      turns: TURNS[context.scale],
      leaveOut: (usable) => usable.service.lacks.join ?? (context.scale === 'guard' ? beyondGuard(usable) : undefined),
      async measure(usable, turn) {
        await using stage = await Stage.open(context, usable, { name: turn })
        const client = await stage.start()
        await client.ask('connect')
        return await client.ask('compare', ROUNDS[context.scale])
      },
    })
    const method =
      'A program that keeps the server up connects once more and closes that again, in turns with the bare SDK, which connects to the same ' +
      `server with the same password and database; ${ROUNDS[context.scale]} times each in each of ${TURNS[context.scale]} processes.`
    return [
      {
        name: warmConnect.name,
        title: warmConnect.title,
        question: 'How long does a program wait for a database that others use already?',
        method,
        unit: 'ms',
        better: 'lower',
        ...combined(turns, (gave) => [
          { points: [summarize(gave.flatMap(({ own }) => own))] },
          { variant: BARE_SDK, points: [summarize(gave.flatMap(({ bare }) => bare))] },
        ]),
      },
      {
        name: WARM_CONNECT_RATIO,
        title: 'A further connect, against the bare SDK’s',
        question: 'What does it add that the server’s life is looked after?',
        method: `${method} Each sample is the quotient of one turn.`,
        unit: 'ratio',
        better: 'lower',
        ...combined(turns, (gave) => [
          { points: [summarize(gave.flatMap(({ own, bare }) => own.map((took, turn) => took / (bare[turn] ?? 0))))] },
        ]),
      },
    ]
  },
}

function beyondGuard({ service }: UsableService): string | undefined {
  const isGuarded = service.name === 'procref-executable-native' || service.name === 'procref-embedded-native'
  return isGuarded ? undefined : 'it is measured in longer runs'
}
