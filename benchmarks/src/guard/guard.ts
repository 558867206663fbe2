import { pointOf } from '../point-of.ts'
import type { Results } from '../results.ts'
import { type Progress, runChosen } from '../run.ts'
import { medianOf } from '../statistics.ts'
import type { GuardedRatio } from './guarded-ratio.ts'

export interface GuardOptions {
  readonly ratios: readonly GuardedRatio[]
  /** So often a ratio that is beyond its limit is measured, all in all, before anybody is accused; left out: 4. */
  readonly measurements?: number
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export type GuardVerdict =
  | {
      readonly verdict: 'within' | 'beyond'
      readonly name: string
      readonly title: string
      readonly limit: number
      readonly value: number
      /** So often it was measured. */
      readonly measurements: number
    }
  | {
      readonly verdict: 'unmeasured'
      readonly name: string
      readonly title: string
      readonly limit: number
      /** Why there is no number, and what to do. */
      readonly reason: string
    }

/**
 * Measures ratios within one run and says which are beyond their limits.
 *
 * A ratio is estimated in two ways, and the lower one counts. The shortest of many short measurements over the shortest of many others:
 * whatever else the machine does makes some of them longer and none shorter; but what takes longer than a process may run at a time is never
 * undisturbed on a busy machine. The median over the median of the same minute: both sides were disturbed alike.
 *
 * A ratio that is beyond its limit is measured again, and ALL measurements count then, the shortest of all and the median of all runs: that
 * finds better numbers for whoever was only disturbed, and none for whoever is slow.
 */
export async function guard(options: GuardOptions): Promise<readonly GuardVerdict[]> {
  const { measurements = 4 } = options
  const runs: Results[] = []
  const judged = (): readonly GuardVerdict[] => options.ratios.map((ratio) => judge(ratio, runs))
  for (let round = 0; round < measurements; round++) {
    const suspicious = judged().flatMap(({ verdict, name }) => (round === 0 || verdict === 'beyond' ? [name] : []))
    const again = options.ratios.filter(({ name }) => suspicious.includes(name))
    if (again.length === 0) break
    runs.push(
      await runChosen({
        ...options,
        scale: 'guard',
        benchmarks: distinct(again.map(({ scenario }) => scenario)),
        subjects: distinct(again.flatMap(({ subjects }) => subjects)),
        services: distinct(again.flatMap(({ services }) => services)),
      }),
    )
  }
  return judged()
}

function judge(ratio: GuardedRatio, runs: readonly Results[]): GuardVerdict {
  const { name, title, limit, scenario } = ratio
  const pairs = runs.flatMap(({ scenarios }) => {
    const over = pointOf(scenarios, { scenario: scenario.name, ...ratio.over })
    const under = pointOf(scenarios, { scenario: scenario.name, ...ratio.under })
    return over === undefined || under === undefined ? [] : [{ over, under }]
  })
  if (pairs.length === 0) return { verdict: 'unmeasured', name, title, limit, reason: whyUnmeasured(ratio, runs) }
  const ofShortest = Math.min(...pairs.map(({ over }) => over.min)) / Math.min(...pairs.map(({ under }) => under.min))
  const ofMedians = medianOf(pairs.map(({ over, under }) => over.p50 / under.p50))
  const value = Math.min(ofShortest, ofMedians)
  return { verdict: value <= limit ? 'within' : 'beyond', name, title, limit, value, measurements: pairs.length }
}

function whyUnmeasured({ scenario, subjects, services }: GuardedRatio, runs: readonly Results[]): string {
  const involved = [...subjects, ...services].map(({ name }) => name)
  const missing = runs.flatMap((run) =>
    [...run.subjects, ...run.services].flatMap(({ name, unavailable }) =>
      unavailable === undefined || !involved.includes(name)
        ? []
        : [`${name}: ${unavailable.reason} (${unavailable.remedy})`],
    ),
  )
  const failed = runs.flatMap(({ scenarios }) =>
    scenarios
      .filter(({ name }) => name === scenario.name)
      .flatMap((result) => [
        ...result.failed.map(({ subject, message }) => `${subject} failed: ${message}`),
        ...result.leftOut.map(({ subject, reason }) => `${subject} has no place there: ${reason}`),
      ]),
  )
  return distinct([...missing, ...failed]).join('; ') || `${scenario.name} gave no such number`
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
