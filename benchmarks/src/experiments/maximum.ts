import { Actor } from '../actor/actor.ts'
import { saidBy } from '../actor/said-by.ts'
import type { Experiment } from '../experiment.ts'
import type { Scale } from '../results.ts'
import type { UsableSubject } from '../scenario.ts'
import { overEach, type Seen } from './over-each.ts'
import { spelled } from './patience.ts'

const FIRST = 2
/** From the second pool on each has so many times as many. */
const GROWTH: Readonly<Record<Scale, number>> = { guard: 2, quick: 8, full: 2 }
/** Where we give up to look for more. */
const LARGEST: Readonly<Record<Scale, number>> = { guard: 64, quick: 1_024, full: 131_072 }
/** A pool that takes longer to be filled is the last one that is tried. */
const LONGEST_MS: Readonly<Record<Scale, number>> = { guard: 10_000, quick: 700, full: 15_000 }

export const maximum: Experiment = {
  name: 'maximum',
  title: 'How many permits can a pool have?',
  scale: 'quick',
  async observe({ scale, ...context }) {
    return overEach(
      maximum,
      { ...context, scale },
      {
        alsoInProcess: true,
        async observe(usable, dir) {
          let most = 0
          for (let slots = 1; slots <= LARGEST[scale]; slots = slots === 1 ? FIRST : slots * GROWTH[scale]) {
            context.signal.throwIfAborted()
            const outcome = await tryToFill(usable, `${dir}-${slots}`, slots)
            if ('refusal' in outcome) return seen(most, `of ${slots} was not to be had: ${outcome.refusal}`, '')
            most = slots
            if (outcome.tookMs > LONGEST_MS[scale]) {
              return seen(most, `took ${spelled(outcome.tookMs)} to be filled; none larger was tried`, ' at least')
            }
          }
          return seen(most, `of ${most} could be filled; none larger was tried`, ' at least')
        },
      },
    )
  },
}

/** Holds when there can be more than one: what a semaphore is, and a mutex is not. */
function seen(most: number, last: string, qualifier: string): Seen {
  const evidence = `One process opened and filled larger and larger pools, from 1 and 2 permits on. The last one ${last}.`
  if (most === 0) return { verdict: 'unanswered', finding: 'none', evidence }
  return {
    verdict: most > 1 ? 'holds' : 'breaks',
    finding: most === 1 ? 'a mutex' : `${most.toLocaleString('en')}${qualifier}`,
    evidence,
  }
}

async function tryToFill(
  { prepared }: UsableSubject,
  dir: string,
  slots: number,
): Promise<{ readonly tookMs: number } | { readonly refusal: string }> {
  try {
    await using actor = await Actor.start(prepared, dir, slots)
    const began = performance.now()
    const { held } = await actor.ask('fill', slots)
    const tookMs = performance.now() - began
    await actor.end()
    return held === slots ? { tookMs } : { refusal: `only ${held} were given` }
  } catch (error) {
    return { refusal: saidBy(error) }
  }
}
