import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import { fillUpTo } from '../fill.ts'
import { unfitForSharing } from '../fits.ts'
import { turnsOfSubjects } from '../over-subjects.ts'
import type { Series } from '../results.ts'
import type { Scenario, ScenarioContext, UsableSubject } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'
import type { PreparedSubject } from '../subject.ts'
import { takeOne } from '../take-one.ts'
import { timeoutsAtOnce } from '../timeouts-at-once.ts'
import { combined } from '../turn-by-turn.ts'
import { type Place, withActors } from '../with-actors.ts'
import { withPatience } from '../with-patience.ts'

const HUNDRED = 100
/** Whoever waits for a lease to run out waits for another one there. */
const ALSO_FULL = { guard: true, quick: false, full: true }
const TURNS = { guard: 1, quick: 1, full: 2 }
/** So long a variant and turn, and one kill at least. */
const EACH_MS = { guard: 500, quick: 300, full: 4_000 }
/** Whoever waits longer waits for a lease to run out, at best. */
const PATIENCE_MS = { guard: 30_000, quick: 13_000, full: 30_000 }
/**
 * The holder is killed at a random time after the wait began, or all kills would meet the same point of a waiter's timers: within this range,
 * which grows with what the kills before took, so that all phases of a long timer are met too.
 */
const PAUSE_MS = { least: 10, range: 20, mostRange: 400 }

const ONE = 'pool of one'
export const HELD_IN_C = 'pool of one, held by a program in C'
const FULL = 'full pool of a hundred'
/** They have the floor's slot files, so a program in C can hold their slots. */
const SLOT_FILES = ['c-floor', 'native', 'flock']

interface Found {
  readonly variant: string
  readonly latenciesUs: readonly number[]
}

export const killedHolder: Scenario = {
  name: 'killed-holder',
  title: 'From SIGKILL of the holder to the next claim',
  scale: 'quick',
  async measure(context) {
    const floor = context.subjects.find(({ subject }) => subject.name === 'c-floor')
    const { atOnce, told } = timeoutsAtOnce(context.scale)
    const measured = await turnsOfSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: unfitForSharing,
      atOnce,
      measure: (usable, turn) => variantsOf(context, usable, floor, turn),
    })
    return {
      name: killedHolder.name,
      title: killedHolder.title,
      question: 'How soon does a waiting program have the permit of one that was killed?',
      method:
        'One process has the last permit, another one waits for it in claim(); the holder is killed at a random time later. From just before kill(2) until the ' +
        `claim has its permit, for ${EACH_MS[context.scale]} ms, ${TURNS[context.scale]} times. In it is what the kernel needs to end the holder: more for a Node process than ` +
        `for a small program in C.${ALSO_FULL[context.scale] ? ' In the pool of a hundred the waiter has the other 99.' : ''}${told}`,
      unit: 'µs',
      better: 'lower',
      ...combined(measured, seriesFrom),
    }
  },
}

async function variantsOf(
  context: ScenarioContext,
  { subject, prepared }: UsableSubject,
  floor: UsableSubject | undefined,
  turn: number,
): Promise<readonly Found[]> {
  const found: Found[] = []
  const kills = async (variant: string, slots: number, holder: PreparedSubject): Promise<void> => {
    const place = { prepared, dir: join(context.home, `${subject.name}-${turn}-${found.length}`), slots }
    found.push({ variant, latenciesUs: await killAgain(place, holder, context) })
  }
  await kills(ONE, 1, prepared)
  if (floor !== undefined && SLOT_FILES.includes(subject.name)) await kills(HELD_IN_C, 1, floor.prepared)
  if (!ALSO_FULL[context.scale]) return found
  // Where a waiter picks one permit first, that would be one of the 99 that it has itself.
  if (subject.maxSlots >= HUNDRED && subject.waitsForOne === undefined) await kills(FULL, HUNDRED, prepared)
  return found
}

/** The microseconds of each kill. */
async function killAgain(
  place: Place,
  holderOf: PreparedSubject,
  { scale, signal }: ScenarioContext,
): Promise<readonly number[]> {
  return await withActors(place, async ({ startOne }) => {
    const waiter = await startOne()
    const latencies: number[] = []
    const end = performance.now() + EACH_MS[scale]
    do {
      signal.throwIfAborted()
      await using holder = await Actor.start(holderOf, place.dir, place.slots)
      await takeOne(holder)
      if (latencies.length === 0) await fillUpTo(place.slots - 1, waiter)
      const { claimed } = await waiter.wait()
      await after(pauseMs(latencies))
      const sent = process.hrtime.bigint()
      await holder.kill()
      const { atNs } = await withPatience(claimed, PATIENCE_MS[scale], 'nobody has a killed holder’s permit')
      latencies.push(Number(BigInt(atNs) - sent) / 1_000)
      await waiter.ask('release')
    } while (performance.now() < end)
    return latencies
  })
}

function pauseMs(latenciesUs: readonly number[]): number {
  const range = Math.min(PAUSE_MS.mostRange, Math.max(PAUSE_MS.range, ...latenciesUs.map((us) => us / 1_000)))
  return PAUSE_MS.least + Math.random() * range
}

function seriesFrom(turns: readonly (readonly Found[])[]): readonly Omit<Series, 'subject'>[] {
  return (turns[0] ?? []).map(({ variant }) => {
    const all = turns.flatMap((turn) => turn.filter((found) => found.variant === variant))
    return { variant, points: [summarizeTurns(all.map(({ latenciesUs }) => latenciesUs))] }
  })
}
