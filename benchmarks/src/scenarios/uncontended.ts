import { join } from 'node:path'
import { measuredPairs } from '../measured-pairs.ts'
import { overSubjects } from '../over-subjects.ts'
import type { Scenario } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'
import { withActors } from '../with-actors.ts'

const SLOTS = 100
const TURNS = { guard: 3, quick: 2, full: 5 }
const TURN_MS = { guard: 200, quick: 300, full: 1_000 }

export const uncontended: Scenario = {
  name: 'uncontended',
  title: 'A claim and its release, nobody else there',
  scale: 'guard',
  async measure(context) {
    const gathered = await overSubjects(context, {
      turns: TURNS[context.scale],
      async measure({ subject, prepared }, turn) {
        const slots = Math.min(SLOTS, subject.maxSlots)
        const dir = join(context.home, `${subject.name}-${turn}`)
        return await withActors(
          { prepared, dir, slots },
          async ({ startOne }) => await measuredPairs(await startOne(), TURN_MS[context.scale]),
        )
      },
      combine: (turns) => [{ points: [summarizeTurns(turns.map((ns) => ns.map((each) => each / 1_000)))] }],
    })
    return {
      name: uncontended.name,
      title: uncontended.title,
      question: 'What does a permit cost a program that meets nobody?',
      method:
        `One process opens a pool of ${SLOTS} permits (one, where the subject is a mutex) and claims and releases for ` +
        `${TURN_MS[context.scale]} ms, ${TURNS[context.scale]} times, each time in a new process; each sample is the mean of a batch.`,
      unit: 'µs',
      better: 'lower',
      ...gathered,
    }
  },
}
