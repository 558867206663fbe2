import { Actor } from '../actor/actor.ts'
import type { Claimed } from '../actor/protocol.ts'
import type { Experiment } from '../experiment.ts'
import type { UsableSubject } from '../scenario.ts'
import { medianOf } from '../statistics.ts'
import { overEach, type Seen } from './over-each.ts'
import { msSince, patienceOf, quietOf, spelled, within } from './patience.ts'

const SLOTS = 5
/** Whoever waits for one slot picked by chance is woken so often with a probability of 1 : 3,125. */
const ROUNDS = 5

export const full: Experiment = {
  name: 'full',
  title: 'All permits are held: who asks for one more, and is the next release theirs?',
  scale: 'quick',
  observe: (context) =>
    overEach(full, context, {
      atOnce: 4,
      observe: (usable, dir) => observeFull(usable, dir, { patience: patienceOf(context), quiet: quietOf(context) }),
    }),
}

async function observeFull(
  { subject, prepared }: UsableSubject,
  dir: string,
  { patience, quiet }: { readonly patience: number; readonly quiet: number },
): Promise<Seen> {
  const slots = Math.min(SLOTS, subject.maxSlots)
  await using holder = await Actor.start(prepared, dir, slots)
  await using other = await Actor.start(prepared, dir, slots)
  const { held } = await holder.ask('fill', slots)
  if (held !== slots) {
    const evidence = `Of a new pool of ${slots} only ${held} were to be had.`
    return { verdict: 'breaks', finding: `${held} of ${slots}`, evidence }
  }
  const setting = `A pool of ${slots}, all held by one process.`
  const refused = await other.ask('try')
  if (refused.slot !== null) {
    return { verdict: 'breaks', finding: 'one too many', evidence: `${setting} Another process got one more.` }
  }
  const told = spelled(refused.tookNs / 1e6)
  const asked = `${setting} Another process that asked was refused after ${told}.`

  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { claimed } = await other.wait()
    if ((await within(quiet, claimed)) !== undefined) {
      return { verdict: 'breaks', finding: 'one too many', evidence: `${asked} Then it waited, and got one more.` }
    }
    const { atNs } = await holder.ask('release')
    const got = await within(patience, claimed)
    if (got === undefined) return await observeSleeper(holder, claimed, { asked, left: slots - 1, patience })
    took.push(msSince(BigInt(atNs), got))
    await other.ask('release')
    if ((await holder.ask('fill', 1)).held !== slots) {
      const evidence = `${asked} It waited, had the one that was released and gave it back: it was not to be had again.`
      return { verdict: 'breaks', finding: 'one is lost', evidence }
    }
  }
  const tookMs = medianOf(took)
  return {
    verdict: 'holds',
    finding: `told in ${told}; woken in ${spelled(tookMs)}`,
    evidence: `${asked} ${ROUNDS} times it waited, and had the first one that was released, after ${spelled(tookMs)} (median).`,
    tookMs,
  }
}

/** It was not woken by one release: by any? */
async function observeSleeper(
  holder: Actor,
  claimed: Promise<Claimed>,
  { asked, left, patience }: { readonly asked: string; readonly left: number; readonly patience: number },
): Promise<Seen> {
  const before = `${asked} It waited, one was released, and ${spelled(patience)} later it still waited.`
  await holder.ask('drop', left)
  if ((await within(patience, claimed)) === undefined) {
    const evidence = `${before} It did so too when all had been released.`
    return { verdict: 'breaks', finding: 'waits on after a release', evidence }
  }
  const evidence = `${before} It had one when all the others had been released too: it waits for a particular one.`
  return { verdict: 'breaks', finding: 'waits for one of them only', evidence }
}
