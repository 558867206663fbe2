import { setTimeout as delay } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import type { Claimed } from '../actor/protocol.ts'
import type { Experiment } from '../experiment.ts'
import type { Scale } from '../results.ts'
import type { ScenarioContext, UsableSubject } from '../scenario.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach, type Seen } from './over-each.ts'
import { patienceOf, spelled, within } from './patience.ts'
import { sleepsOf } from './wakes.ts'

/**
 * Of four, six are watched in all: too few to tell a release's work from what a good waiter does once a second, which is in a window or is not.
 * Of eight it is twenty-eight.
 */
const WAITING: Readonly<Record<Scale, number>> = { guard: 4, quick: 8, full: 32 }
/** What a process does right after it began to wait is over by then. */
const SETTLE_MS = 1_000
/** Watched after a release: whoever is woken by it has run by then, also on a busy machine. */
const WINDOW_MS = 200
/** Who sleeps through fewer of the windows in which nothing happens looks by a timer. */
const MOST_IDLE = 0.5

export const oneRelease: Experiment = {
  name: 'one-release',
  title: 'Many processes wait for the only permit, and it is released once',
  scale: 'quick',
  observe: (context) =>
    overEach(oneRelease, context, { atOnce: 3, observe: (usable, dir) => observeHerd(usable, dir, context) }),
}

async function observeHerd(
  { prepared }: UsableSubject,
  dir: string,
  context: Pick<ScenarioContext, 'scale' | 'signal'>,
): Promise<Seen> {
  const patience = patienceOf(context)
  const count = WAITING[context.scale]
  const setting = `${count} processes waited for the only permit of a pool. It was released once, and whoever got it released it again.`
  const actors: Actor[] = []
  try {
    let holder = await Actor.start(prepared, dir, 1)
    actors.push(holder)
    await takeOnlyPermit(holder)
    let waiting: readonly Waiter[] = []
    for (let n = 0; n < count; n++) {
      const actor = await Actor.start(prepared, dir, 1)
      actors.push(actor)
      waiting = [...waiting, new Waiter(actor, (await actor.wait()).claimed)]
    }
    await delay(SETTLE_MS)

    const watched: Watched[] = []
    while (waiting.length > 0) {
      context.signal.throwIfAborted()
      const early = waiting.filter(({ hasIt }) => hasIt).length
      if (early > 0)
        return { verdict: 'breaks', finding: 'two holders', evidence: `${setting} One got it while another had it.` }
      const last = holder
      const began = performance.now()
      let winner: Waiter | undefined
      const woken = await wokenIn(waiting, async () => {
        await last.ask('release')
        winner = await within(patience, Promise.race(waiting.map(({ claimed }) => claimed)))
        await delay(WINDOW_MS)
      })
      if (winner === undefined) {
        const finding = `${waiting.length} of ${count} get nothing`
        return {
          verdict: 'breaks',
          finding,
          evidence: `${setting} ${waiting.length} were still there ${spelled(patience)} after a release.`,
        }
      }
      const winners = waiting.filter(({ hasIt }) => hasIt).length
      if (winners > 1)
        return {
          verdict: 'breaks',
          finding: `${winners} get it`,
          evidence: `${setting} Once ${winners} got it at the same time.`,
        }
      waiting = waiting.filter((one) => one !== winner)
      // As long as the release was watched, or on a busy machine, where that took its time, what is done now and then would pass for its work.
      const asLong = performance.now() - began
      const idle = await wokenIn(waiting, () => delay(asLong))
      watched.push({ others: waiting.length, idle: countIn(idle, waiting), woken: countIn(woken, waiting) })
      holder = (winner as Waiter).actor
    }
    return judge(watched, setting)
  } finally {
    // Killed one after the other the permit would go round among them meanwhile.
    await Promise.all(actors.map((actor) => actor.kill()))
  }
}

/** One release: how many others went on waiting, and how many of them did anything in its window, and in one as long after it. */
interface Watched {
  readonly others: number
  readonly idle: number | undefined
  readonly woken: number | undefined
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

/** Those that did anything at all while `happens` did; undefined where the system does not tell. */
async function wokenIn(
  waiting: readonly Waiter[],
  happens: () => Promise<unknown>,
): Promise<ReadonlySet<Waiter> | undefined> {
  const before = waiting.map(({ actor }) => sleepsOf(actor.pid))
  await happens()
  if (before.includes(undefined)) return undefined
  return new Set(waiting.filter(({ actor }, n) => (sleepsOf(actor.pid) ?? 0) > (before[n] ?? 0)))
}

function countIn(woken: ReadonlySet<Waiter> | undefined, waiting: readonly Waiter[]): number | undefined {
  return woken && waiting.filter((one) => woken.has(one)).length
}

function judge(watched: readonly Watched[], setting: string): Seen {
  const sum = (of: (one: Watched) => number | undefined): number =>
    watched.reduce((all, one) => all + (of(one) ?? 0), 0)
  const others = sum((one) => one.others)
  const served = `${setting} Each time exactly one got it, until all had had it.`
  if (watched.some(({ woken, idle }) => woken === undefined || idle === undefined)) {
    return { verdict: 'holds', finding: 'one gets it', evidence: `${served} This system does not tell who was woken.` }
  }
  const idle = sum((one) => one.idle) / others
  const woken = sum((one) => one.woken) / others
  const seen =
    `Of those that had to wait on, ${percent(woken)} did anything at all from a release until ${WINDOW_MS} ms after it was had again, and ` +
    `${percent(idle)} in as long a time without a release.`
  const evidence = `${served} ${seen}`
  if (idle > MOST_IDLE) return { verdict: 'holds', finding: 'one gets it; all look by a timer', evidence }
  const isHerd = woken - idle > 0.5
  const finding = isHerd ? `one gets it; ${percent(woken)} of the others are woken` : 'one gets it; the others sleep'
  return { verdict: isHerd ? 'breaks' : 'holds', finding, evidence }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
