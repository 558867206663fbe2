import { counted, formatAt, formatColumn, formatValue } from '../format.ts'
import type { Point, Results, ScenarioResult, Series } from '../results.ts'
import { distributionCharts } from './charts/distribution.ts'
import { growthCharts } from './charts/growth.ts'
import { exponentText, findingOf, growthWord, hasGrowth, shortExponent, titleOf, titleOfSeries } from './findings.ts'
import { html, type Markup } from './html.ts'
import { lookOf } from './kinds.ts'
import { prose, sentence } from './prose.ts'
import { type Cell, foldedTable } from './table.ts'

/** The anchor of a scenario's heading; a name that is no good for one is made so. */
export function scenarioId({ name }: ScenarioResult): string {
  return `scenario-${name.replace(/[^A-Za-z0-9-]/g, '-')}`
}

/** One scenario: question, answer, chart, the numbers of the chart, what is missing. */
export function scenarioSection(results: Results, scenario: ScenarioResult): Markup {
  const id = scenarioId(scenario)
  return html`<section aria-labelledby="${id}">
<h3 id="${id}">${scenario.title}</h3>
<p class="question">${sentence(scenario.question)}</p>
<p class="finding">${findingOf(results, scenario)}</p>
${scenario.series.length === 0 ? undefined : chartOf(results, scenario, id)}
${scenario.series.length === 0 ? undefined : numbersOf(results, scenario, id)}
<p class="method"><b>Method.</b> ${sentence(scenario.method)} ${scenario.better === 'lower' ? 'Lower' : 'Higher'} is better.</p>
${missing(
  'Failed',
  'failed',
  results,
  scenario.failed.map(({ subject, message }) => ({ subject, reason: message })),
)}
${missing('Left out', 'left-out', results, scenario.leftOut)}
</section>
`
}

function chartOf(results: Results, scenario: ScenarioResult, id: string): Markup {
  return hasGrowth(scenario) ? growthOf(results, scenario, id) : distributionOf(results, scenario, id)
}

function distributionOf(results: Results, scenario: ScenarioResult, id: string): Markup {
  const rows = ranked(scenario).flatMap((series) =>
    series.points.map((point) => ({
      label: titleOfSeries(results, series) + (point.at === undefined ? '' : `, ${formatAt(point.at)}`),
      look: lookOf(results, series.subject),
      point,
    })),
  )
  const description = `${findingOf(results, scenario)} The table below has the same numbers.`
  const { wide, narrow } = distributionCharts(rows, scenario.unit, {
    id: `${id}-chart`,
    title: scenario.title,
    description,
  })
  return html`<figure class="chart"><div class="wide">${wide}</div><div class="narrow">${narrow}</div>
<figcaption>Best first. Each fine line is a sample, the filled symbol and the number are the median, the bar holds nine samples of ten,
the ring is the 99th percentile.</figcaption></figure>`
}

function growthOf(results: Results, scenario: ScenarioResult, id: string): Markup {
  const { axis, unit } = scenario
  if (axis === undefined) throw new Error(`${scenario.name} has no axis`)
  const all = ranked(scenario)
  const charts = growthCharts(
    all.map((series, n) => ({
      series,
      look: lookOf(results, series.subject),
      says: {
        id: `${id}-chart-${n}`,
        title: titleOfSeries(results, series),
        description: growthDescription(series, scenario),
      },
    })),
    unit,
    axis,
  )
  return html`<figure class="growth"><ul class="panels">
${all.map(
  (series, n) => html`<li><p class="panel-title">${titleOfSeries(results, series)}</p>
<p class="panel-note">${series.exponent === undefined ? '' : html`n<sup>${shortExponent(series.exponent.value)}</sup>, ${growthWord(series.exponent)}`}</p>${charts[n]}</li>
`,
)}</ul>
<figcaption>${axis.title} to the right${axis.scale === 'log' ? ', both scales logarithmic' : ''}. Each panel shows one subject over all the others (grey), on the
same axes: symbols are medians, whiskers reach up to the 99th percentile.${
    all.some(({ exponent }) => exponent !== undefined)
      ? html` <i>n</i> to the power of the fitted exponent is how the median grows: 0 is flat, 1 is linear.`
      : undefined
  }</figcaption></figure>`
}

function growthDescription(series: Series, { unit, axis }: ScenarioResult): string {
  const medians = series.points.map(({ at, p50 }) => `${formatAt(at ?? '')}: ${formatValue(p50, unit)}`).join('; ')
  const fit =
    series.exponent === undefined
      ? ''
      : ` Fitted exponent ${exponentText(series.exponent)}: ${growthWord(series.exponent)}.`
  return `Median by ${axis?.title ?? ''}: ${medians}.${fit}`
}

/** The best first; what belongs to one subject together, where its best stands. */
function ranked({ series, better }: ScenarioResult): readonly Series[] {
  const last = ({ points }: Series): number => points.at(-1)?.p50 ?? 0
  const best = new Map<string, number>()
  const sign = better === 'lower' ? 1 : -1
  for (const one of series) best.set(one.subject, Math.min(best.get(one.subject) ?? Infinity, sign * last(one)))
  return series.toSorted((a, b) => (best.get(a.subject) ?? 0) - (best.get(b.subject) ?? 0))
}

function numbersOf(results: Results, scenario: ScenarioResult, id: string): Markup {
  const { axis, unit } = scenario
  const all = ranked(scenario)
  const hasAt = all.some(({ points }) => points.some(({ at }) => at !== undefined))
  const hasExponent = all.some(({ exponent }) => exponent !== undefined)
  const rows = all.flatMap((series) => series.points.map((point) => ({ series, point })))
  const table = {
    id: `${id}-numbers`,
    caption: html`${scenario.title}: the numbers, in ${unitText(scenario)}`,
    heading: [
      'Subject',
      ...(hasAt ? [axis?.title ?? 'At'] : []),
      ...['Median', '95 % of the median', 'p90', 'p99', 'Maximum', 'Samples'],
      ...(hasExponent ? ['Exponent (95 %)'] : []),
    ],
    look: 'numbers',
    rows: rows.map(({ series, point }) => [
      titleOfSeries(results, series),
      ...(hasAt ? [formatAt(point.at ?? '')] : []),
      ...pointCells(point),
      ...(hasExponent ? [series.exponent === undefined ? '–' : exponentText(series.exponent)] : []),
    ]),
  }
  return foldedTable(table, `The numbers, ${counted(rows.length, 'row', 'rows')}`, `${scenario.title}, ${unit}`)
}

function pointCells({ p50, interval, p90, p99, max, n }: Point): readonly (string | Cell)[] {
  const [low, high] = interval
  return [
    { content: formatColumn(p50), look: 'key' },
    `${formatColumn(low)} – ${formatColumn(high)}`,
    ...[p90, p99, max].map(formatColumn),
    new Intl.NumberFormat('en').format(n),
  ]
}

function unitText({ unit }: ScenarioResult): string {
  if (unit === 'ratio') return 'ratios'
  if (unit === 'count') return 'counts'
  return unit === 'per second' ? 'times a second' : unit
}

function missing(
  title: string,
  look: string,
  results: Results,
  all: readonly { readonly subject: string; readonly reason: string }[],
): Markup | undefined {
  if (all.length === 0) return undefined
  return html`<div class="${look}"><p><b>${title}</b></p><ul>
${all.map(({ subject, reason }) => html`<li><b>${titleOf(results, subject)}</b>: ${prose(reason)}</li>\n`)}</ul></div>`
}
