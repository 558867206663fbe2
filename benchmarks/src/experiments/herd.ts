import { setTimeout as delay } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import type { Claimed } from '../actor/protocol.ts'
import type { Experiment } from '../experiment.ts'
import type { Scale } from '../results.ts'
import type { ScenarioContext, UsableSubject } from '../scenario.ts'
import { overEach, type Seen } from './over-each.ts'
import { patienceOf, spelled, within } from './patience.ts'
import { sleepsOf } from './wakes.ts'

const WAITING: Readonly<Record<Scale, number>> = { guard: 4, quick: 6, full: 32 }
/** Long enough for every timer with which a subject waits to go off a few times. */
const WINDOW_MS = 1_000
/** More wakes than this in a window in which nothing happens: it looks by a timer. (A runtime alone wakes once in a while.) */
const MOST_IDLE_WAKES = 2

export const herd: Experiment = {
  name: 'herd',
  title: 'Many processes wait for the only permit, and it is released once',
  scale: 'quick',
  observe: (context) => overEach(herd, context, { observe: (usable, dir) => observeHerd(usable, dir, context) }),
}

async function observeHerd(
  { prepared }: UsableSubject,
  dir: string,
  context: Pick<ScenarioContext, 'scale' | 'signal'>,
): Promise<Seen> {
  const patience = patienceOf(context)
  const count = WAITING[context.scale]
  const setting = `${count} processes waited for the only permit of a pool.`
  const actors: Actor[] = []
  try {
    const holder = await Actor.start(prepared, dir, 1)
    actors.push(holder)
    if ((await holder.ask('try')).slot === null) throw new Error('the only permit of a new pool was not to be had')
    const waiting: Waiter[] = []
    for (let n = 0; n < count; n++) {
      const actor = await Actor.start(prepared, dir, 1)
      actors.push(actor)
      waiting.push(new Waiter(actor, (await actor.wait()).claimed))
    }
    const idle = await wakesIn(WINDOW_MS, waiting)
    if (waiting.some(({ hasIt }) => hasIt)) {
      return { verdict: 'breaks', finding: 'two holders', evidence: `${setting} One got it before it was released.` }
    }

    const before = waiting.map(({ actor }) => sleepsOf(actor.pid))
    await holder.ask('release')
    const first = await within(patience, Promise.race(waiting.map(({ claimed }) => claimed)))
    if (first === undefined) {
      const evidence = `${setting} It was released, and ${spelled(patience)} later nobody had it.`
      return { verdict: 'breaks', finding: 'nobody is woken', evidence }
    }
    await delay(WINDOW_MS)
    const winners = waiting.filter(({ hasIt }) => hasIt).length
    if (winners !== 1) {
      const evidence = `${setting} It was released once, and ${winners} of them had it.`
      return { verdict: 'breaks', finding: `${winners} get it`, evidence }
    }
    const woken = waiting.filter(({ actor }, n) => (sleepsOf(actor.pid) ?? 0) > (before[n] ?? 0)).length
    const wakes = describeWakes(idle, woken, count)

    const { served, mostAtOnce } = await passOn(waiting, patience)
    if (mostAtOnce > 1) {
      const evidence = `${setting} Each gave it back as soon as it had it: once ${mostAtOnce} had it at the same time.`
      return { verdict: 'breaks', finding: `${mostAtOnce} have it at once`, evidence }
    }
    if (served < count) {
      const finding = `${count - served} of ${count} get nothing`
      const evidence = `${setting} Each gave it back as soon as it had it: ${count - served} never got it.`
      return { verdict: 'breaks', finding, evidence }
    }
    const evidence = `${setting} It was released, and exactly one got it; ${wakes.said} Then each gave it back, until all had had it once.`
    return { verdict: wakes.isHerd ? 'breaks' : 'holds', finding: `one gets it; ${wakes.finding}`, evidence }
  } finally {
    // Killed one after the other the permit would go round among them meanwhile.
    await Promise.all(actors.map((actor) => actor.kill()))
  }
}

class Waiter {
  readonly actor: Actor
  readonly claimed: Promise<Waiter>
  hasIt = false

  constructor(actor: Actor, claimed: Promise<Claimed>) {
    this.actor = actor
    this.claimed = claimed.then(() => {
      this.hasIt = true
      return this
    })
    // Who dies while it waits for the next is not listened to by anybody.
    this.claimed.catch(() => undefined)
  }
}

/** How often each of them woke while nothing happened; undefined where the system does not tell. */
async function wakesIn(ms: number, waiting: readonly Waiter[]): Promise<readonly number[] | undefined> {
  // What a process does right after it began to wait is over by then.
  await delay(ms)
  const before = waiting.map(({ actor }) => sleepsOf(actor.pid))
  await delay(ms)
  const after = waiting.map(({ actor }) => sleepsOf(actor.pid))
  return before.flatMap((value, n) => (value === undefined ? [] : [(after[n] ?? value) - value]))
}

function describeWakes(
  idle: readonly number[] | undefined,
  woken: number,
  count: number,
): { readonly finding: string; readonly said: string; readonly isHerd: boolean } {
  if (idle === undefined || idle.length === 0) {
    return { finding: 'wakes not told', said: 'this system does not tell who was woken.', isHerd: false }
  }
  const median = idle.toSorted((a, b) => a - b)[Math.floor(idle.length / 2)] ?? 0
  if (median > MOST_IDLE_WAKES) {
    const perSecond = Math.round((median * 1_000) / WINDOW_MS)
    const said = `each of them woke ${perSecond} times a second all the time, by a timer.`
    return { finding: `each looks ${perSecond} times a second`, said, isHerd: false }
  }
  const said = `${woken} of them did anything at all within ${spelled(WINDOW_MS)} after it, and slept before.`
  // One more may be the runtime's own doing.
  return { finding: `${woken} of ${count} woken`, said, isHerd: count >= 4 && woken > Math.max(2, count / 2) }
}

/** Whoever has it gives it back, until nobody gets it any more: how many have had it, and how many at the same time. */
async function passOn(
  waiting: readonly Waiter[],
  patience: number,
): Promise<{ readonly served: number; readonly mostAtOnce: number }> {
  let left = [...waiting]
  let mostAtOnce = 0
  while (left.length > 0) {
    const next = await within(patience, Promise.race(left.map(({ claimed }) => claimed)))
    if (next === undefined) break
    mostAtOnce = Math.max(mostAtOnce, left.filter(({ hasIt }) => hasIt).length)
    left = left.filter((one) => one !== next)
    await next.actor.ask('release')
  }
  return { served: waiting.length - left.length, mostAtOnce }
}
