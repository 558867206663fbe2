import { join } from 'node:path'
import { fillAllBut, freeMore, HOLDERS } from '../fill.ts'
import { unfitForSharing } from '../fits.ts'
import { measuredPairs } from '../measured-pairs.ts'
import { overSubjects } from '../over-subjects.ts'
import type { Scenario } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'
import { withActors } from '../with-actors.ts'

const SLOTS = 100
/** Of a hundred permits, as many per cent; the fullest first, because the holders only give back. */
const IN_USE = [99, 50, 1]
const TURNS = { guard: 2, quick: 1, full: 3 }
const TURN_MS = { guard: 100, quick: 150, full: 500 }

export const fullness: Scenario = {
  name: 'fullness',
  title: 'A claim and its release in a pool that others use too',
  scale: 'quick',
  async measure(context) {
    const gathered = await overSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: (usable) => unfitForSharing(usable, SLOTS),
      measure: ({ subject, prepared }, turn) =>
        withActors(
          { prepared, dir: join(context.home, `${subject.name}-${turn}`), slots: SLOTS },
          async ({ start, startOne }) => {
            const holders = await start(HOLDERS)
            const actor = await startOne()
            const samples = new Map<number, readonly number[]>()
            for (const [n, inUse] of IN_USE.entries()) {
              if (n === 0) await fillAllBut(SLOTS - inUse, SLOTS, holders)
              else await freeMore((IN_USE[n - 1] ?? 0) - inUse, holders)
              samples.set(inUse, await measuredPairs(actor, TURN_MS[context.scale]))
            }
            return samples
          },
        ),
      combine: (turns) => [
        {
          points: IN_USE.toReversed().map((inUse) =>
            summarizeTurns(
              turns.map((turn) => (turn.get(inUse) ?? []).map((ns) => ns / 1_000)),
              inUse,
            ),
          ),
        },
      ],
    })
    return {
      name: fullness.name,
      title: fullness.title,
      question: 'Does a permit cost more when most of them are taken?',
      method:
        `${HOLDERS} processes hold ${IN_USE.toReversed().join(', ')} of ${SLOTS} permits, scattered, and sleep. Another one claims and releases for ` +
        `${TURN_MS[context.scale]} ms, ${TURNS[context.scale]} times; each sample is the mean of a batch. Whoever finds a free permit may remember it: ` +
        'what the search itself costs is in the scenario of the first claim.',
      unit: 'µs',
      better: 'lower',
      axis: { title: '% of the permits in use by others', scale: 'linear' },
      ...gathered,
    }
  },
}
