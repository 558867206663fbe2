import { UnsupportedByNature } from './actor/json-process.ts'
import { saidBy } from './actor/said-by.ts'
import { eachAtOnce } from './each-at-once.ts'
import type { Series } from './results.ts'
import type { Gathered, ScenarioContext } from './scenario.ts'

export interface Turns<U, T> {
  readonly turns: number
  /** Why one has no place in this scenario; undefined: it has one. */
  readonly leaveOut?: (usable: U) => string | undefined
  /** Who of a turn are measured at the same time, after the others: only those for whom nearly all of it is waiting. Left out: nobody. */
  readonly atOnce?: (usable: U) => boolean
  readonly measure: (usable: U, turn: number) => Promise<T>
}

/** What makes the series of one from what its turns gave. */
export type Combine<T> = (turns: readonly T[]) => readonly Omit<Series, 'subject'>[]

/** What the turns of each gave. */
export interface Measured<T> {
  readonly turns: ReadonlyMap<string, readonly T[]>
  readonly leftOut: Gathered['leftOut']
  readonly failed: Gathered['failed']
}

/**
 * Measures one after the other, turn by turn, so that whatever else the machine does meets all of them. `measure` is called
 * `turns` times for each. One that fails is in `failed`, and the others go on. Nothing is measured any more when it settles.
 */
export async function turnByTurn<U, T>(
  context: ScenarioContext,
  all: readonly { readonly name: string; readonly title: string; readonly usable: U }[],
  options: Turns<U, T>,
): Promise<Measured<T>> {
  const leftOut = new Map<string, string>()
  const failed = new Map<string, string>()
  const measured = new Map<string, T[]>()
  for (const { name, usable } of all) {
    const reason = options.leaveOut?.(usable)
    if (reason !== undefined) leftOut.set(name, reason)
  }
  const measureOne = async ({ name, title, usable }: (typeof all)[number], turn: number): Promise<void> => {
    if (leftOut.has(name) || failed.has(name)) return
    context.signal.throwIfAborted()
    context.say(`${title}, turn ${turn + 1} of ${options.turns}`)
    try {
      const gave = await options.measure(usable, turn)
      measured.set(name, [...(measured.get(name) ?? []), gave])
    } catch (error) {
      context.signal.throwIfAborted()
      measured.delete(name)
      if (error instanceof UnsupportedByNature) leftOut.set(name, error.message)
      else failed.set(name, saidBy(error))
    }
  }
  const atOnce = all.filter(({ usable }) => options.atOnce?.(usable) === true)
  const alone = all.filter((one) => !atOnce.includes(one))
  for (let turn = 0; turn < options.turns; turn++) {
    for (const one of alone) await measureOne(one, turn)
    await eachAtOnce(atOnce, atOnce.length, (one) => measureOne(one, turn))
  }
  return {
    // In the order of the subjects, whoever was ready first.
    turns: new Map(all.flatMap(({ name }) => (measured.has(name) ? [[name, measured.get(name) ?? []] as const] : []))),
    leftOut: [...leftOut].map(([subject, reason]) => ({ subject, reason })),
    failed: [...failed].map(([subject, message]) => ({ subject, message })),
  }
}

/** One question's answer from what was measured: a scenario may make several. */
export function combined<T>({ turns, leftOut, failed }: Measured<T>, combine: Combine<T>): Gathered {
  return {
    series: [...turns].flatMap(([subject, gave]) => combine(gave).map((series) => ({ subject, ...series }))),
    leftOut,
    failed,
  }
}
