import { setTimeout as delay } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import type { Scale } from '../results.ts'
import type { ScenarioContext, UsableSubject } from '../scenario.ts'
import { overEach, type Seen } from './over-each.ts'
import { fillUntil, patienceOf, spelled } from './patience.ts'

const SLOTS = 3
const KILLS: Readonly<Record<Scale, number>> = { guard: 8, quick: 4, full: 60 }
/** So many claim and release at a time, one more than there are permits: some are killed while they wait. */
const AT_ONCE = 4
/** A process is killed at a random moment of this time: many thousand steps of a fast subject, a few of a slow one. */
const LONGEST_LIFE_MS = 60
/** So many times the permits are counted: a permit lost stays lost, but a permit too many may go away again. */
const COUNTS: Readonly<Record<Scale, number>> = { guard: 2, quick: 1, full: 4 }
/** Longer than any of them lives. */
const COMPETE_MS = 60_000

export const crash: Experiment = {
  name: 'crash',
  title: 'Killed between any two steps: is a permit lost, or one too many?',
  scale: 'quick',
  observe: (context) =>
    overEach(crash, context, { atOnce: 3, observe: (usable, dir) => observeCrashes(usable, dir, context) }),
}

async function observeCrashes(
  { subject, prepared }: UsableSubject,
  dir: string,
  context: Pick<ScenarioContext, 'scale' | 'signal'>,
): Promise<Seen> {
  const patience = patienceOf(context)
  const slots = Math.min(SLOTS, subject.maxSlots)
  const kills = KILLS[context.scale]
  const counts = COUNTS[context.scale]
  let done = 0
  for (let counted = 0; counted < counts; counted++) {
    while (done < Math.ceil((kills * (counted + 1)) / counts)) {
      context.signal.throwIfAborted()
      await Promise.all(
        Array.from({ length: AT_ONCE }, () => killWhileItClaims(() => Actor.start(prepared, dir, slots))),
      )
      done += AT_ONCE
    }
    const { first, second } = await countPermits(() => Actor.start(prepared, dir, slots), slots, patience)
    const setting = `${done} processes that claimed and released permits of a pool of ${slots}, ${AT_ONCE} at a time, were killed at random moments.`
    if (first + second > slots) {
      const evidence = `${setting} Afterwards two processes together held ${first + second}.`
      return { verdict: 'breaks', finding: `${first + second} of ${slots} after ${done} kills`, evidence }
    }
    if (first < slots) {
      const evidence = `${setting} Afterwards, for ${spelled(patience)}, only ${first} were to be had.`
      return { verdict: 'breaks', finding: `${first} of ${slots} left after ${done} kills`, evidence }
    }
  }
  return {
    verdict: 'holds',
    finding: `none lost, none double (${done} kills)`,
    evidence:
      `${done} processes that claimed and released permits of a pool of ${slots}, ${AT_ONCE} at a time, were killed at random moments ` +
      `within ${LONGEST_LIFE_MS} ms. Counted ${counts === 1 ? 'once' : `${counts} times in between`}, there were exactly ${slots}.`,
  }
}

async function killWhileItClaims(start: () => Promise<Actor>): Promise<void> {
  await using actor = await start()
  // What is loaded when it is first used is there, and the kill meets claims.
  if ((await actor.ask('try')).slot !== null) await actor.ask('release')
  const competing = actor.ask('compete', COMPETE_MS)
  // It is killed before it can answer.
  competing.catch(() => undefined)
  await delay(Math.random() * LONGEST_LIFE_MS)
}

/** How many permits one process gets within `patience`, and how many another one gets besides. */
async function countPermits(
  start: () => Promise<Actor>,
  slots: number,
  patience: number,
): Promise<{ readonly first: number; readonly second: number }> {
  await using one = await start()
  await using two = await start()
  const first = await fillUntil(one, slots, patience)
  const { held: second } = await two.ask('fill', slots)
  await one.ask('drop', first)
  await two.ask('drop', second)
  return { first, second }
}
