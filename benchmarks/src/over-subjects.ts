import type { Gathered, ScenarioContext, UsableSubject } from './scenario.ts'
import { type Combine, combined, type Measured, type Turns, turnByTurn } from './turn-by-turn.ts'

/**
 * Measures one subject after the other, turn by turn, so that whatever else the machine does meets all of them. `measure` is called
 * `turns` times a subject; `combine` makes its series from what the turns gave. A subject that fails is in `failed`, and the others go on.
 */
export async function overSubjects<T>(
  context: ScenarioContext,
  options: Turns<UsableSubject, T> & { readonly combine: Combine<T> },
): Promise<Gathered> {
  return combined(await turnsOfSubjects(context, options), options.combine)
}

/** As `overSubjects`, for a scenario that makes several results from one measurement: `combined` makes each of them. */
export async function turnsOfSubjects<T>(
  context: ScenarioContext,
  options: Turns<UsableSubject, T>,
): Promise<Measured<T>> {
  const { subjects } = context
  const all = subjects.map((usable) => ({ name: usable.subject.name, title: usable.subject.title, usable }))
  return await turnByTurn(context, all, options)
}
