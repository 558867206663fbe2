import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import type { Passed } from '../actor/protocol.ts'
import { unfitForSharing } from '../fits.ts'
import { turnsOfSubjects } from '../over-subjects.ts'
import type { Series } from '../results.ts'
import type { Scenario, ScenarioContext, UsableSubject } from '../scenario.ts'
import { curveOf, summarizeTurns } from '../statistics.ts'
import { takeOne } from '../take-one.ts'
import { timeoutsAtOnce } from '../timeouts-at-once.ts'
import { combined } from '../turn-by-turn.ts'
import { withActors } from '../with-actors.ts'
import { withPatience } from '../with-patience.ts'

const HERDS = { guard: [8, 16, 32], quick: [8], full: [8, 16, 32, 64] }
const TURNS = { guard: 1, quick: 1, full: 2 }
/** So long each has the permit: two that have it at the same time are seen. */
const KEPT_MICROSECONDS = 200
/** After so long those who wait sit where they wait. */
const SETTLED_MS = 500
/** Until the first has it: whoever waits longer waits for a lease to run out, at best; and until all have had it. */
const PATIENCE_MS = { first: 15_000, all: 90_000 }

/** Of one herd in one turn, in microseconds. */
interface Found {
  readonly waiters: number
  readonly woken: number
  readonly handOvers: readonly number[]
  readonly processor: readonly number[]
}

const MEASURES: readonly { readonly variant: string; readonly of: (found: Found) => readonly number[] }[] = [
  { variant: 'killed holder → first of the waiters', of: ({ woken }) => [woken] },
  { variant: 'one waiter → the next', of: ({ handOvers }) => handOvers },
  { variant: "processor time of one waiter's wait", of: ({ processor }) => processor },
]

export const herd: Scenario = {
  name: 'herd',
  title: 'Many wait for one permit, and its holder is killed',
  scale: 'quick',
  async measure(context) {
    const { atOnce, told: alsoTold } = timeoutsAtOnce(context.scale)
    const measured = await turnsOfSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: unfitForSharing,
      atOnce,
      measure: (usable, turn) => herdsOf(context, usable, turn),
    })
    return {
      name: herd.name,
      title: herd.title,
      question: 'Is one of those who wait woken, or all of them?',
      method:
        `${HERDS[context.scale].join(', ')} processes wait for one permit. Its holder is killed, the first has it, keeps it for ${KEPT_MICROSECONDS} µs and gives it back, and so on ` +
        `until all have had it; ${TURNS[context.scale]} times. Two that have it at the same time are a failure of the subject. If more than one were woken each time, the ` +
        `time from one to the next and each one's processor time would grow with the number of those who wait.${alsoTold}`,
      unit: 'µs',
      better: 'lower',
      axis: { title: 'processes that wait', scale: 'log' },
      ...combined(measured, seriesFrom),
    }
  },
}

async function herdsOf(context: ScenarioContext, { subject, prepared }: UsableSubject, turn: number) {
  const sizes = HERDS[context.scale]
  const place = { prepared, dir: join(context.home, `${subject.name}-${turn}`), slots: 1 }
  return await withActors(place, async ({ start }) => {
    const actors = await start(Math.max(...sizes))
    const round = async (size: number, end: (holder: Actor) => Promise<unknown>): Promise<Omit<Found, 'waiters'>> => {
      context.signal.throwIfAborted()
      await using holder = await Actor.start(prepared, place.dir, place.slots)
      await takeOne(holder)
      const waiting = await Promise.all(actors.slice(0, size).map((actor) => actor.pass(KEPT_MICROSECONDS)))
      await after(SETTLED_MS)
      const sent = process.hrtime.bigint()
      await end(holder)
      const passes = waiting.map(({ passed }) => passed)
      await withPatience(Promise.race(passes), PATIENCE_MS.first, 'none of those who wait has a killed holder’s permit')
      const all = await withPatience(Promise.all(passes), PATIENCE_MS.all, `not all of ${size} have had the permit`)
      return told(sent, all)
    }
    // Not counted: the first wait of a process loads what waiting needs. Nobody has to wait for a lease to run out for that.
    await round(actors.length, (holder) => holder.ask('release'))
    const found: Found[] = []
    for (const size of sizes) found.push({ waiters: size, ...(await round(size, (holder) => holder.kill())) })
    return found
  })
}

function told(sent: bigint, passed: readonly Passed[]): Omit<Found, 'waiters'> {
  const inOrder = passed
    .map(({ atNs, releasingNs }) => ({ at: BigInt(atNs), releasing: BigInt(releasingNs) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
  const microseconds = (from: bigint, to: bigint) => Number(to - from) / 1_000
  const handOvers = inOrder.slice(1).map(({ at }, n) => microseconds(inOrder[n]?.releasing ?? at, at))
  const overlaps = handOvers.filter((time) => time < 0).length
  if (overlaps > 0) throw new Error(`${overlaps} times two processes had the one permit at the same time`)
  return {
    woken: microseconds(sent, inOrder[0]?.at ?? sent),
    handOvers,
    processor: passed.map(({ cpuNs }) => cpuNs / 1_000),
  }
}

function seriesFrom(turns: readonly (readonly Found[])[]): readonly Omit<Series, 'subject'>[] {
  const sizes = (turns[0] ?? []).map(({ waiters }) => waiters)
  return MEASURES.map(({ variant, of }) => {
    const points = sizes.map((size) =>
      summarizeTurns(
        turns.map((turn) => turn.filter(({ waiters }) => waiters === size).flatMap(of)),
        size,
      ),
    )
    return { variant, ...curveOf(points) }
  })
}
