import { join } from 'node:path'
import type { Actor } from '../actor/actor.ts'
import { FillTooSlowError, fillAllBut, freeMore, HOLDERS } from '../fill.ts'
import { firstClaims } from '../first-claims.ts'
import { unfitForSharing } from '../fits.ts'
import { measuredPairs } from '../measured-pairs.ts'
import { turnsOfSubjects } from '../over-subjects.ts'
import type { Series } from '../results.ts'
import type { Scenario, ScenarioContext, UsableSubject } from '../scenario.ts'
import { curveOf, summarizeTurns } from '../statistics.ts'
import { combined } from '../turn-by-turn.ts'
import { withActors } from '../with-actors.ts'

const SIZES = { guard: [100, 10_000], quick: [100, 10_000], full: [100, 1_000, 10_000, 100_000] }
const SMALLEST = 100
const FREE_SHARE = 0.01
const TURNS = { guard: 2, quick: 1, full: 2 }
/** For each of the two measurements of each state of a pool. */
const EACH_MS = { guard: 100, quick: 100, full: 300 }

/** A subject that cannot fill a pool within this time has reached its end. */
const FILL_MS = { guard: 60_000, quick: 2_000, full: 20_000 }

export const FULL = '99 % in use by others'
export const EMPTY = 'empty'
const STATES = [EMPTY, FULL]

/** What one state of one pool gave in one turn, in nanoseconds. */
interface Found {
  readonly slots: number
  readonly state: string
  readonly again: readonly number[]
  readonly first: readonly number[]
}

export const slots: Scenario = {
  name: 'slots',
  title: 'A claim and its release as the pool grows',
  scale: 'guard',
  async measure(context) {
    const ends = new Map<string, number>()
    const measured = await turnsOfSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: (usable) => unfitForSharing(usable, SMALLEST),
      measure: (usable, turn) => grow(context, usable, { turn, ends }),
    })
    const method =
      `Pools of ${SIZES[context.scale].join(', ')} permits, as far as a subject goes and can be filled within ${FILL_MS[context.scale] / 1_000} s: ${HOLDERS} processes hold all but one per cent of them, scattered; ` +
      `then they give all back ("empty"). Another process is measured for ${EACH_MS[context.scale]} ms, ${TURNS[context.scale]} times.`
    const axis = { title: 'permits of the pool', scale: 'log' } as const
    return [
      {
        name: slots.name,
        title: slots.title,
        question: 'Does a permit cost more in a larger pool?',
        method: `${method} It claims and releases; each sample is the mean of a batch.`,
        unit: 'µs',
        better: 'lower',
        axis,
        ...combined(measured, (turns) => seriesFrom(turns, ({ again }) => again)),
      },
      {
        name: 'first-claim',
        title: 'The first claim of a newly opened pool',
        question: 'How long does a program that knows nothing yet search for a free permit?',
        method: `${method} It opens the pool anew for each sample, and only the claim is timed.`,
        unit: 'µs',
        better: 'lower',
        axis,
        ...combined(measured, (turns) => seriesFrom(turns, ({ first }) => first)),
      },
    ]
  },
}

async function grow(
  context: ScenarioContext,
  { subject, prepared }: UsableSubject,
  /** `ends`: for each subject the size that it could not fill, so that no later turn tries it again. */
  { turn, ends }: { readonly turn: number; readonly ends: Map<string, number> },
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const size of SIZES[context.scale]) {
    if (size > subject.maxSlots || size >= (ends.get(subject.name) ?? Number.POSITIVE_INFINITY)) break
    context.signal.throwIfAborted()
    const place = { prepared, dir: join(context.home, `${subject.name}-${turn}-${size}`), slots: size }
    const free = Math.round(size * FREE_SHARE)
    try {
      await withActors(place, async ({ start, startOne }) => {
        const holders = await start(HOLDERS)
        const actor = await startOne()
        await fillAllBut(free, size, holders, FILL_MS[context.scale])
        found.push({ slots: size, state: FULL, ...(await measureState(actor, EACH_MS[context.scale])) })
        await freeMore(size - free, holders)
        found.push({ slots: size, state: EMPTY, ...(await measureState(actor, EACH_MS[context.scale])) })
      })
    } catch (error) {
      if (!(error instanceof FillTooSlowError)) throw error
      ends.set(subject.name, size)
    }
  }
  return found
}

async function measureState(actor: Actor, milliseconds: number) {
  return { first: await firstClaims(actor, milliseconds), again: await measuredPairs(actor, milliseconds) }
}

function seriesFrom(
  turns: readonly (readonly Found[])[],
  values: (found: Found) => readonly number[],
): readonly Omit<Series, 'subject'>[] {
  return STATES.map((state) => {
    const sizes = (turns[0] ?? []).filter((found) => found.state === state).map((found) => found.slots)
    const points = sizes.map((size) => {
      const all = turns.flatMap((turn) => turn.filter((found) => found.state === state && found.slots === size))
      return summarizeTurns(
        all.map((found) => values(found).map((ns) => ns / 1_000)),
        size,
      )
    })
    return { variant: state, ...curveOf(points) }
  })
}
