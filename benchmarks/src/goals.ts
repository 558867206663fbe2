import { lifecycleGoals } from './lifecycle-goals.ts'
import type { GoalResult, ScenarioResult } from './results.ts'
import { slotGoals } from './slot-goals.ts'

/** The project's own goals, judged from the numbers of this run; one that this run did not measure is left out. */
export function goalsOf(scenarios: readonly ScenarioResult[]): readonly GoalResult[] {
  return [...slotGoals(scenarios), ...lifecycleGoals(scenarios)]
}
