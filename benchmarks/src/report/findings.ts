import { formatAt, formatNumber, formatValue } from '../format.ts'
import type { Results, ScenarioResult, Series } from '../results.ts'

/** An exponent is called flat when its whole interval is below this. */
const FLAT = 0.1

/** As its users call it; what is neither a subject nor a service, by its name. */
export function titleOf(results: Results, subject: string): string {
  return [...results.subjects, ...results.services].find(({ name }) => name === subject)?.title ?? subject
}

export function titleOfSeries(results: Results, { subject, variant }: Series): string {
  const title = titleOf(results, subject)
  return variant === undefined ? title : `${title}, ${variant}`
}

/** Does something grow from point to point? */
export function hasGrowth({ axis, series }: ScenarioResult): boolean {
  return axis !== undefined && series.some(({ points }) => points.length > 1)
}

/** What a scenario says, in a sentence or two, from its numbers alone. */
export function findingOf(results: Results, scenario: ScenarioResult): string {
  if (scenario.series.length === 0) return 'Nothing was measured.'
  return hasGrowth(scenario) ? growthFinding(results, scenario) : rankFinding(results, scenario)
}

function rankFinding(results: Results, scenario: ScenarioResult): string {
  const variants = [...new Set(scenario.series.map(({ variant }) => variant))].toSorted((a, b) =>
    a === undefined ? -1 : b === undefined ? 1 : 0,
  )
  return variants
    .map((variant) => {
      const finding = rankOf(results, scenario, variant)
      return variant === undefined ? finding : `${upper(variant)}: ${lower(finding)}`
    })
    .join(' ')
}

function rankOf(results: Results, { series, unit, better }: ScenarioResult, variant: string | undefined): string {
  const all = series
    .filter((one) => one.variant === variant)
    .map(({ subject, points }) => ({ subject, median: points[0]?.p50 ?? 0 }))
    .toSorted((a, b) => (better === 'lower' ? a.median - b.median : b.median - a.median))
  const named = ({ subject, median }: { readonly subject: string; readonly median: number }): string =>
    `${titleOf(results, subject)} (${formatValue(median, unit)})`
  const ranked = all.filter(({ subject }) => !isBound(results, subject))
  const bounds = all.filter(({ subject }) => isBound(results, subject)).map(named)
  const beside = bounds.length === 0 ? '' : ` As bounds: ${bounds.join(', ')}.`
  const [first, last] = [ranked[0], ranked.at(-1)]
  if (first === undefined || last === undefined) return `Only bounds were measured.${beside}`
  if (ranked.length === 1) return `The median of ${named(first)}.${beside}`
  const [small = 0, large = 0] = [first.median, last.median].toSorted((a, b) => a - b)
  const apart = small > 0 ? `, a factor of ${formatNumber(large / small)}` : ''
  return `Of ${ranked.length}, the best median is that of ${named(first)}, the last of ${named(last)}${apart}.${beside}`
}

/** There to compare with, and nothing that a user could choose for permits between processes. */
export function isBound(results: Results, subject: string): boolean {
  const info = results.subjects.find(({ name }) => name === subject)
  return info !== undefined && (info.kind === 'floor' || !info.betweenProcesses)
}

function growthFinding(results: Results, scenario: ScenarioResult): string {
  const places = scenario.series.flatMap(({ points }) => points.map(({ at }) => at ?? ''))
  const numbers = places.filter((at) => typeof at === 'number')
  const range =
    numbers.length === places.length && numbers.length > 0
      ? `From ${formatAt(Math.min(...numbers))} to ${formatAt(Math.max(...numbers))} ${lower(scenario.axis?.title ?? '')}`
      : `Over ${lower(scenario.axis?.title ?? '')}`
  const fitted = scenario.series.filter(({ exponent }) => exponent !== undefined)
  const flat = fitted.filter(({ exponent }) => growthWord(exponent) === 'flat')
  const factors = scenario.series.map((one) => ({ title: titleOfSeries(results, one), factor: factorOf(one) }))
  const most = factors.toSorted((a, b) => b.factor - a.factor)[0]
  const grew =
    most === undefined ? '' : `; the median of ${most.title} changes most, by a factor of ${formatNumber(most.factor)}`
  if (fitted.length === 0) return `${range}${grew}.`.replace('; the', ', the')
  if (flat.length === 0) return `${range}, none of the ${fitted.length} fitted curves is proven flat${grew}.`
  return `${range}, ${flat.length} of the ${fitted.length} fitted curves are flat${grew}.`
}

/** By how much the medians of a series lie apart, largest over smallest. */
function factorOf({ points }: Series): number {
  const medians = points.map(({ p50 }) => p50).filter((median) => median > 0)
  return medians.length === 0 ? 1 : Math.max(...medians) / Math.min(...medians)
}

export type GrowthWord = 'flat' | 'falling' | 'less than linear' | 'linear' | 'more than linear' | 'not clear'

/** What the interval of an exponent proves. */
export function growthWord(exponent: Series['exponent']): GrowthWord {
  if (exponent === undefined) return 'not clear'
  const { low, high } = exponent
  if (low > -FLAT && high < FLAT) return 'flat'
  if (high < 0) return 'falling'
  if (low > 1 + FLAT) return 'more than linear'
  if (low > 1 - FLAT && high < 1 + FLAT) return 'linear'
  if (low > 0 && high < 1) return 'less than linear'
  return 'not clear'
}

export function exponentText({ value, low, high }: NonNullable<Series['exponent']>): string {
  return `${shortExponent(value)} (${shortExponent(low)} to ${shortExponent(high)})`
}

export function shortExponent(value: number): string {
  return value
    .toFixed(2)
    .replace(/^-0\.00$/, '0.00')
    .replace('-', '−')
}

export function upper(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1)
}

export function lower(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1)
}
