import { UnsupportedByNature } from './actor/actor.ts'
import type { Series } from './results.ts'
import type { Gathered, ScenarioContext, UsableSubject } from './scenario.ts'

interface Turns<T> {
  readonly turns: number
  /** Why a subject has no place in this scenario; undefined: it has one. */
  readonly leaveOut?: (usable: UsableSubject) => string | undefined
  readonly measure: (usable: UsableSubject, turn: number) => Promise<T>
}

/** What makes the series of a subject from what its turns gave. */
type Combine<T> = (turns: readonly T[]) => readonly Omit<Series, 'subject'>[]

/** What the turns of each subject gave. */
export interface Measured<T> {
  readonly turns: ReadonlyMap<string, readonly T[]>
  readonly leftOut: Gathered['leftOut']
  readonly failed: Gathered['failed']
}

/**
 * Measures one subject after the other, turn by turn, so that whatever else the machine does meets all of them. `measure` is called
 * `turns` times a subject; `combine` makes its series from what the turns gave. A subject that fails is in `failed`, and the others go on.
 */
export async function overSubjects<T>(
  context: ScenarioContext,
  options: Turns<T> & { readonly combine: Combine<T> },
): Promise<Gathered> {
  return combined(await inTurns(context, options), options.combine)
}

/** As `overSubjects`, for a scenario that makes several results from one measurement: `combined` makes each of them. */
export async function inTurns<T>(context: ScenarioContext, options: Turns<T>): Promise<Measured<T>> {
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
    turns: new Map([...measured].filter(([subject]) => !failed.has(subject) && !leftOut.has(subject))),
    leftOut: [...leftOut].map(([subject, reason]) => ({ subject, reason })),
    failed: [...failed].map(([subject, message]) => ({ subject, message })),
  }
}

export function combined<T>({ turns, leftOut, failed }: Measured<T>, combine: Combine<T>): Gathered {
  return {
    series: [...turns].flatMap(([subject, ofSubject]) => combine(ofSubject).map((series) => ({ subject, ...series }))),
    leftOut,
    failed,
  }
}
