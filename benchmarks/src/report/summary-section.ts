import { counted, formatAt, formatSeconds, formatValue } from '../format.ts'
import type { GoalResult, Results } from '../results.ts'
import { type SummaryColumn, summaryColumns } from '../tables.ts'
import { findingOf, isBound } from './findings.ts'
import { html, type Markup } from './html.ts'
import { noiseAdvice } from './machine-section.ts'
import { scenarioId } from './scenario-section.ts'
import { type Cell, tableMarkup } from './table.ts'

const SCALES = { guard: 'the short run of a build', quick: 'the run of ten minutes', full: 'the full run' } as const

/** The whole report on one screen. */
export function summarySection(results: Results): Markup {
  const { subjects, scenarios, experiments, goals, machine } = results
  const measured = subjects.filter(({ unavailable }) => unavailable === undefined)
  const failed = scenarios.reduce((sum, one) => sum + one.failed.length, 0)
  const broken = experiments.filter(({ verdict }) => verdict === 'breaks').length
  const columns = summaryColumns(results)
  return html`<p class="lead">${counted(measured.length, 'way', 'ways')} to share permits between processes, measured side by side in
${counted(scenarios.length, 'scenario', 'scenarios')}${
  experiments.length === 0
    ? undefined
    : ` and observed in ${counted(new Set(experiments.map(({ experiment }) => experiment)).size, 'experiment', 'experiments')}`
}, on ${machine.cpus}, in ${formatSeconds(results.tookSeconds)} (${SCALES[results.scale]}).</p>
<ul class="key-points">
${goals.length === 0 ? undefined : html`<li>${goalsSentence(goals)}</li>`}
${columns.slice(0, 4).map(({ scenario }) => html`<li><b>${scenario.title}.</b> ${findingOf(results, scenario)}</li>\n`)}
${broken === 0 ? undefined : html`<li>${counted(broken, 'observation', 'observations')} of ${experiments.length} went otherwise than a user would wish: see <a href="#correctness">correctness</a>.</li>`}
${failed === 0 ? undefined : html`<li>${counted(failed, 'measurement', 'measurements')} failed: told in the scenario’s section.</li>`}
${subjects.length === measured.length ? undefined : html`<li>${counted(subjects.length - measured.length, 'subject was', 'subjects were')} not there to be measured: see <a href="#missing">how to get them</a>.</li>`}
<li>${noiseAdvice(results.noise)}</li>
</ul>
${goals.length === 0 ? undefined : goalsTable(goals)}
${columns.length === 0 ? undefined : summaryTableMarkup(results, columns)}`
}

function goalsSentence(goals: readonly GoalResult[]): string {
  const missed = goals.filter(({ isMet }) => !isMet)
  if (missed.length === 0)
    return `${counted(goals.length, 'goal', 'goals')} could be judged by this run, and none is missed.`
  return `${goals.length - missed.length} of ${goals.length} goals are met; missed: ${missed.map(({ goal }) => goal).join('; ')}.`
}

function goalsTable(goals: readonly GoalResult[]): Markup {
  return tableMarkup({
    id: 'goals',
    caption: 'The project’s goals, judged by this run',
    heading: ['Goal', 'Result', 'Measured', 'Limit'],
    look: 'numbers',
    rows: goals.map(({ goal, value, limit, unit, better, isMet }) => [
      goal,
      { content: isMet ? '✓ met' : '✗ missed', look: isMet ? 'holds' : 'breaks' },
      { content: formatValue(value, unit), look: 'key' },
      `${better === 'lower' ? '≤' : '≥'} ${formatValue(limit, unit)}`,
    ]),
  })
}

function summaryTableMarkup(results: Results, columns: readonly SummaryColumn[]): Markup {
  return tableMarkup({
    id: 'summary-table',
    caption: 'Medians of every subject. With a star: the best that works between processes, the floor in C aside',
    heading: [
      'Subject',
      ...columns.map(
        ({ scenario, variant, at }) =>
          html`<a href="#${scenarioId(scenario)}">${scenario.title}</a>${variant === undefined ? undefined : `, ${variant}`}${
            at === undefined ? undefined : html`<span class="at">${scenario.axis?.title}: ${formatAt(at)}</span>`
          }`,
      ),
      'Permits, at most',
    ],
    look: 'numbers summary',
    rows: results.subjects.map((subject) => [
      subject.title,
      ...columns.map((column) => summaryCell(results, column, subject.name, subject.unavailable !== undefined)),
      formatAt(subject.maxSlots),
    ]),
  })
}

function summaryCell(results: Results, column: SummaryColumn, subject: string, isMissing: boolean): Cell {
  const { scenario, points } = column
  const point = points.get(subject)
  if (point === undefined) {
    const hasFailed = scenario.failed.some((one) => one.subject === subject)
    return hasFailed ? { content: 'failed', look: 'breaks' } : { content: isMissing ? 'not here' : '–', look: 'none' }
  }
  const text = formatValue(point.p50, scenario.unit)
  return bestOf(results, column) === subject ? { content: html`<b>★ ${text}</b>`, look: 'key' } : { content: text }
}

function bestOf(results: Results, { scenario, points }: SummaryColumn): string | undefined {
  const sign = scenario.better === 'lower' ? 1 : -1
  return results.subjects
    .filter(({ name }) => !isBound(results, name) && points.has(name))
    .map(({ name }) => ({ name, median: sign * (points.get(name)?.p50 ?? 0) }))
    .toSorted((a, b) => a.median - b.median)[0]?.name
}
