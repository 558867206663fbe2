import { inTurns, seriesOf, type Turns } from './in-turns.ts'
import type { Series } from './results.ts'
import type { Gathered, ScenarioContext, UsableSubject } from './scenario.ts'

interface Measuring<T> {
  readonly turns: number
  /** Why a subject has no place in this scenario; undefined: it has one. */
  readonly leaveOut?: (usable: UsableSubject) => string | undefined
  readonly measure: (usable: UsableSubject, turn: number) => Promise<T>
}

/**
 * Measures one subject after the other, turn by turn, so that whatever else the machine does meets all of them. `measure` is called
 * `turns` times a subject; `combine` makes its series from what the turns gave. A subject that fails is in `failed`, and the others go on.
 */
export async function overSubjects<T>(
  context: ScenarioContext,
  options: Measuring<T> & { readonly combine: (turns: readonly T[]) => readonly Omit<Series, 'subject'>[] },
): Promise<Gathered> {
  return seriesOf(await turnsOfSubjects(context, options), options.combine)
}

/** As `overSubjects`, for a scenario that makes several results from one measurement: `seriesOf` makes each of them. */
export async function turnsOfSubjects<T>(context: ScenarioContext, options: Measuring<T>): Promise<Turns<T>> {
  const { subjects } = context
  const all = subjects.map((usable) => ({ name: usable.subject.name, title: usable.subject.title, usable }))
  return await inTurns(context, all, options)
}
