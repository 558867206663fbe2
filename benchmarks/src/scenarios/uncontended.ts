import { join } from 'node:path'
import { Actor } from '../actor/actor.ts'
import { overSubjects } from '../over-subjects.ts'
import type { Scenario } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'

const SLOTS = 100
const TURNS = { guard: 3, quick: 3, full: 5 }
/** So long a turn, whatever a subject is: the number of claims follows from the first few. */
const TURN_MS = { guard: 300, quick: 500, full: 2_000 }
const BATCHES = 40

export const uncontended: Scenario = {
  name: 'uncontended',
  title: 'A claim and its release, nobody else there',
  scale: 'guard',
  async measure(context) {
    const gathered = await overSubjects(context, {
      turns: TURNS[context.scale],
      async measure({ subject, prepared }, turn) {
        const dir = join(context.home, `${subject.name}-${turn}`)
        await using actor = await Actor.start(prepared, dir, Math.min(SLOTS, subject.maxSlots))
        const { ns: first } = await actor.ask('measure', 3, 3)
        const each = Math.min(...first)
        const size = Math.max(1, Math.round((TURN_MS[context.scale] * 1e6) / BATCHES / each))
        const { ns } = await actor.ask('measure', BATCHES, size)
        await actor.end()
        return ns
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
