import { atLeast, atMost } from './limits.ts'
import { type PointName, pointOf } from './point-of.ts'
import type { GoalResult, Point, ScenarioResult } from './results.ts'
import { HELD_IN_C } from './scenarios/killed-holder.ts'
import { AGAINST_C, LAST_AGAINST_C } from './scenarios/near-full.ts'
import { EMPTY, FULL } from './scenarios/slots.ts'
import { medianOf } from './statistics.ts'

const GROWN = { from: 100, to: 10_000 }

/** What a slot may cost; what this run did not measure is left out. */
export function slotGoals(scenarios: readonly ScenarioResult[]): readonly GoalResult[] {
  const find = (name: PointName): Point | undefined => pointOf(scenarios, name)
  const ratio = (over: PointName, under: PointName): number | undefined => turnByTurn(find(over), find(under))
  const flat = (state: string): number | undefined => {
    const at = (permits: number) => ({ scenario: 'slots', subject: 'ofd-range', variant: state, at: permits })
    return ratio(at(GROWN.to), at(GROWN.from))
  }
  const killed = find({ scenario: 'killed-holder', subject: 'native', variant: HELD_IN_C })
  const nearFull = (variant: string) =>
    find({ scenario: 'near-full', subject: 'ofd-range', variant, at: GROWN.to })?.p50
  return [
    atMost(
      'A claim of native(), against the same system calls in C',
      1.5,
      'ratio',
      ratio({ scenario: 'uncontended', subject: 'native' }, { scenario: 'uncontended', subject: 'c-floor' }),
    ),
    atMost('A claim of ofdRange() in an empty pool of 10,000 slots, against one of 100', 1.5, 'ratio', flat(EMPTY)),
    atMost('The same in pools that are 99 % full', 1.5, 'ratio', flat(FULL)),
    atLeast(
      'A free slot of 10,000 in an open pool of ofdRange() that is 99 % full: trying one after the other in C, against its map of hints',
      20,
      'ratio',
      nearFull(AGAINST_C),
    ),
    atLeast('The same with a single free slot', 20, 'ratio', nearFull(LAST_AGAINST_C)),
    atMost(
      'From SIGKILL of a holder until a waiting claim of native() has its slot, 99 of 100',
      1,
      'ms',
      killed === undefined ? undefined : killed.p99 / 1_000,
    ),
  ].filter((goal) => goal !== undefined)
}

/** The median of the ratios of each turn: both sides of a ratio met the same minute. */
function turnByTurn(over: Point | undefined, under: Point | undefined): number | undefined {
  if (over?.turns === undefined || under?.turns === undefined) return undefined
  const below = under.turns
  return medianOf(over.turns.map((value, turn) => value / (below[turn] ?? Number.NaN)))
}
