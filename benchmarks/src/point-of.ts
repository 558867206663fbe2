import type { Point, ScenarioResult } from './results.ts'

/** Where a point is in the results. */
export interface PointName {
  readonly scenario: string
  readonly subject: string
  readonly variant?: string
  readonly at?: number
}

/** Undefined: this run did not measure it. */
export function pointOf(
  scenarios: readonly ScenarioResult[],
  { scenario, subject, variant, at }: PointName,
): Point | undefined {
  const found = scenarios.find(({ name }) => name === scenario)
  const series = found?.series.find((one) => one.subject === subject && one.variant === variant)
  return series?.points.find((point) => point.at === at)
}
