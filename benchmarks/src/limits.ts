import type { GoalResult, Unit } from './results.ts'

/** The goal that a value is at most so much; undefined: it was not measured. */
export function atMost(goal: string, limit: number, unit: Unit, value: number | undefined): GoalResult | undefined {
  return value === undefined ? undefined : { goal, value, limit, unit, better: 'lower', isMet: value <= limit }
}

/** The goal that a value is at least so much; undefined: it was not measured. */
export function atLeast(goal: string, limit: number, unit: Unit, value: number | undefined): GoalResult | undefined {
  return value === undefined ? undefined : { goal, value, limit, unit, better: 'higher', isMet: value >= limit }
}
