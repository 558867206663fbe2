import { UnsupportedByNature } from './actor/actor.ts'
import type { Series } from './results.ts'
import type { Gathered, ScenarioContext, UsableSubject } from './scenario.ts'

/**
 * Measures one subject after the other, turn by turn, so that whatever else the machine does meets all of them. `measure` is called
 * `turns` times a subject; `combine` makes its series from what the turns gave. A subject that fails is in `failed`, and the others go on.
 */
export async function overSubjects<T>(
  context: ScenarioContext,
  options: {
    readonly turns: number
    /** Why a subject has no place in this scenario; undefined: it has one. */
    readonly leaveOut?: (usable: UsableSubject) => string | undefined
    readonly measure: (usable: UsableSubject, turn: number) => Promise<T>
    readonly combine: (turns: readonly T[]) => readonly Omit<Series, 'subject'>[]
  },
): Promise<Gathered> {
  const leftOut = new Map<string, string>()
  const failed = new Map<string, string>()
  const measured = new Map<string, T[]>()
  for (const usable of context.subjects) {
    const reason = options.leaveOut?.(usable)
    if (reason !== undefined) leftOut.set(usable.subject.name, reason)
  }
  for (let turn = 0; turn < options.turns; turn++) {
    for (const usable of context.subjects) {
      const { name, title } = usable.subject
      if (leftOut.has(name) || failed.has(name)) continue
      context.signal.throwIfAborted()
      context.say(`${title}, turn ${turn + 1} of ${options.turns}`)
      try {
        const gave = await options.measure(usable, turn)
        measured.set(name, [...(measured.get(name) ?? []), gave])
      } catch (error) {
        context.signal.throwIfAborted()
        if (error instanceof UnsupportedByNature) leftOut.set(name, error.message)
        else failed.set(name, error instanceof Error ? error.message : String(error))
      }
    }
  }

  return {
    series: [...measured]
      .filter(([subject]) => !failed.has(subject) && !leftOut.has(subject))
      .flatMap(([subject, turns]) => options.combine(turns).map((series) => ({ subject, ...series }))),
    leftOut: [...leftOut].map(([subject, reason]) => ({ subject, reason })),
    failed: [...failed].map(([subject, message]) => ({ subject, message })),
  }
}
