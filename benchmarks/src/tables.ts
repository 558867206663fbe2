import type { Change, Comparison } from './compare.ts'
import { formatAt, formatColumn, formatValue } from './format.ts'
import type { Point, Results, ScenarioResult, Series, ServiceInfo, SubjectInfo } from './results.ts'

/** A subject or a service. */
type Compared = Pick<SubjectInfo | ServiceInfo, 'name' | 'title' | 'unavailable'>

/** One column of the summary: a scenario, at its last point where it has several. */
export interface SummaryColumn {
  readonly scenario: ScenarioResult
  readonly variant?: string
  readonly at?: number | string
  /** By subject. */
  readonly points: ReadonlyMap<string, Point>
}

/** The scenarios that compare subjects, each at its hardest point. */
export function summaryColumns(results: Results): readonly SummaryColumn[] {
  return columnsOf(results, results.subjects)
}

function columnsOf(results: Results, compared: readonly Compared[]): readonly SummaryColumn[] {
  const names = new Set(compared.map(({ name }) => name))
  return results.scenarios.map(summaryColumn).filter(({ points }) => [...points.keys()].some((name) => names.has(name)))
}

function summaryColumn(scenario: ScenarioResult): SummaryColumn {
  const variant = scenario.series[0]?.variant
  const series = scenario.series.filter((one) => one.variant === variant)
  const at = farthestOfMost(series)
  return {
    scenario,
    ...(variant === undefined ? {} : { variant }),
    ...(at === undefined ? {} : { at }),
    points: new Map(
      series.flatMap(({ subject, points }) => {
        const point = points.find((one) => one.at === at)
        return point === undefined ? [] : [[subject, point] as const]
      }),
    ),
  }
}

/** The farthest point that most of them came to: a pool that only one of them can have compares nobody. */
function farthestOfMost(series: readonly Series[]): number | string | undefined {
  const counts = new Map<number | string, number>()
  for (const { points } of series)
    for (const { at } of points) if (at !== undefined) counts.set(at, (counts.get(at) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return [...counts].findLast(([, count]) => count === most)?.[0]
}

/**
 * For a terminal: one row a subject or service, one column a scenario (the first `most`), medians; the first row is the heading. One table
 * of subjects and one of services, each only if something was measured of them.
 */
export function summaryTables(results: Results, most = 6): string[][][] {
  return [results.subjects, results.services]
    .filter((compared) => columnsOf(results, compared).length > 0)
    .map((compared) => summaryTable(results, compared, most))
}

function summaryTable(results: Results, compared: readonly Compared[], most: number): string[][] {
  const columns = columnsOf(results, compared).slice(0, most)
  const heading = columns.map(({ scenario, at }) =>
    at === undefined ? scenario.name : `${scenario.name} (${formatAt(at)})`,
  )
  const rows = compared.map(({ name, title, unavailable }) => [
    title,
    ...columns.map(({ scenario, points }) => {
      const point = points.get(name)
      if (point !== undefined) return formatValue(point.p50, scenario.unit)
      if (unavailable !== undefined) return 'not here'
      return scenario.failed.some((one) => one.subject === name) ? 'failed' : '–'
    }),
  ])
  return forTerminal([['', ...heading], ...rows])
}

/** For a terminal: what changed, proven differences first; the first row is the heading. */
export function comparisonTable({ changes }: Comparison): string[][] {
  const rows = byImportance(changes).map((change) => [
    change.scenario,
    nameOfChange(change),
    formatValue(change.before, change.unit),
    formatValue(change.now, change.unit),
    ratioText(change),
    change.verdict,
  ])
  return forTerminal([['scenario', 'subject', 'before', 'now', 'ratio (95 %)', 'verdict'], ...rows])
}

/** A page keeps a number and its unit on one line; what a terminal shows is searched and copied. */
function forTerminal(table: readonly (readonly string[])[]): string[][] {
  return table.map((row) => row.map((cell) => cell.replaceAll('\u00a0', ' ')))
}

/** Proven ones first, the largest first among them; the others as they were measured. */
export function byImportance(changes: readonly Change[]): readonly Change[] {
  const weight = ({ verdict, ratio }: Change): number =>
    verdict === 'no difference proven' ? 0 : Math.abs(Math.log(ratio ?? 1))
  return changes.toSorted((a, b) => weight(b) - weight(a))
}

export function nameOfChange({ subject, variant, at }: Change): string {
  return [subject, ...(variant === undefined ? [] : [variant]), ...(at === undefined ? [] : [formatAt(at)])].join(', ')
}

export function ratioText({ ratio, interval }: Change): string {
  if (ratio === undefined || interval === undefined) return 'too few values'
  return `${formatColumn(ratio)} (${formatColumn(interval[0])} – ${formatColumn(interval[1])})`
}
