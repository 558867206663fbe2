import { lifecycleGoals } from './lifecycle-goals.ts'
import type { GoalResult, ScenarioResult } from './results.ts'

/** The project's own goals, judged from the numbers of this run; one that this run did not measure is left out. */
export function goalsOf(scenarios: readonly ScenarioResult[]): readonly GoalResult[] {
  return [...claimGoals(scenarios), ...lifecycleGoals(scenarios)]
}

function claimGoals(scenarios: readonly ScenarioResult[]): readonly GoalResult[] {
  const medianOf = (scenario: string, subject: string): number | undefined =>
    scenarios.find(({ name }) => name === scenario)?.series.find((series) => series.subject === subject)?.points[0]?.p50
  const native = medianOf('uncontended', 'native')
  const floor = medianOf('uncontended', 'c-floor')
  if (native === undefined || floor === undefined) return []
  const value = native / floor
  const goal = 'A claim of native(), against the same system calls in C'
  return [{ goal, value, limit: 1.5, unit: 'ratio', better: 'lower', isMet: value <= 1.5 }]
}
