import { type Bounds, boundsSection } from './bounds-section.ts'
import { formatAt, formatColumn, formatDate, formatNumber, formatSeconds, formatValue } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import type { GoalResult, Point, Results, ScenarioResult, Series } from './results.ts'
import { howToHave } from './subject.ts'
import { correctnessTable, type TruthTable, truthTables } from './truth-tables.ts'
import { type Wake, wakeSection } from './wake-section.ts'

type Rows = readonly (readonly string[])[]

/** The columns of the README: the scenarios that a reader asks for first, each at one point. */
const README_SUBJECTS: readonly ReadmeColumn[] = [
  { heading: 'a claim and its release', scenario: 'uncontended' },
  { heading: 'holder killed → next claim', scenario: 'killed-holder' },
]
const README_SERVICES: readonly ReadmeColumn[] = [
  { heading: 'first connect', scenario: 'cold-connect' },
  { heading: 'further connect', scenario: 'warm-connect' },
  { heading: 'server killed → next answer', scenario: 'restart' },
]

interface ReadmeColumn {
  readonly heading: string
  readonly scenario: string
}

/** For the README: what was aimed at, and the few numbers that a reader asks for first. */
export function readmeSection(results: Results): string {
  return [
    markdownTable(goalRows(results.goals)),
    markdownTable(overview(results, results.subjects, README_SUBJECTS)),
    markdownTable(overview(results, results.services, README_SERVICES)),
    `Medians of one run; ${circumstances(results)}. All of it, with what happens when processes are killed: [docs/benchmarks.md](docs/benchmarks.md).`,
  ].join('\n\n')
}

/** docs/benchmarks.md: everything that one run found, and what profiles say of it. */
export function benchmarksPage(
  results: Results,
  { bounds, wake }: { readonly bounds?: Bounds | undefined; readonly wake?: Wake | undefined },
): string {
  const missing = [...results.subjects, ...results.services].flatMap(({ title, unavailable }) =>
    unavailable === undefined ? [] : [`- ${title}: ${howToHave(unavailable)}`],
  )
  return [
    '<!-- Made by benchmarks/pages.mjs from benchmarks/results/full.json; do not edit. -->',
    '# Benchmarks',
    `All numbers are of one run: ${circumstances(results)}. It took ${formatSeconds(results.tookSeconds)}. Compare the ratios; times of another machine are others.`,
    `The same fixed piece of work, timed again and again during the run, took ${formatNumber(results.noise.spread)} times its median at the 95th percentile: a difference smaller than that is none.`,
    '`npx --yes pnpm@12 bench` measures on your machine, and writes a report with pictures.',
    '## Goals',
    markdownTable(goalRows(results.goals)),
    '## What is compared',
    markdownTable([
      ['subject', 'a permit is', 'waits', 'version'],
      ...results.subjects.map(({ title, summary, waits, version }) => [title, summary, waits, version ?? '']),
    ]),
    markdownTable([
      ['service', 'its server', 'version'],
      ...results.services.map(({ title, summary, version }) => [title, summary, version ?? '']),
    ]),
    ...(missing.length === 0 ? [] : ['Not there to be measured:', missing.join('\n')]),
    '## What is true',
    ...truthTables(results).flatMap((truths) => [`### ${truths.title}`, markdownTable(truthRows(truths))]),
    `### ${correctnessTable(results).title}`,
    markdownTable(truthRows(correctnessTable(results))),
    '## What it costs',
    ...results.scenarios.flatMap((scenario) => scenarioSection(results, scenario)),
    ...(wake === undefined ? [] : [wakeSection(wake)]),
    ...(bounds === undefined ? [] : [boundsSection(bounds)]),
  ]
    .join('\n\n')
    .concat('\n')
}

function scenarioSection(results: Results, scenario: ScenarioResult): readonly string[] {
  const { title, question, method, leftOut, failed } = scenario
  const notes = [
    ...leftOut.map(({ subject, reason }) => `- ${titleOf(results, subject)}: left out, ${reason}`),
    ...failed.map(({ subject, message }) => `- ${titleOf(results, subject)}: FAILED, ${message}`),
  ]
  return [
    `### ${title}`,
    `*${question}* ${method}`,
    markdownTable(scenarioRows(results, scenario)),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
  ]
}

function scenarioRows(results: Results, scenario: ScenarioResult): Rows {
  const { axis, unit, series } = scenario
  const rows = series.flatMap((one) =>
    one.points.map((point) => [
      nameOf(results, one),
      ...(axis === undefined ? [] : [formatAt(point.at ?? '')]),
      ...numbersOf(point, unit),
      exponentOf(one),
    ]),
  )
  const heading = ['', ...(axis === undefined ? [] : [axis.title]), 'median', '95 % of it', 'p99', 'longest', 'values']
  return withoutEmptyLast([[...heading, 'exponent'], ...rows])
}

function numbersOf({ p50, interval, p99, max, n }: Point, unit: ScenarioResult['unit']): readonly string[] {
  const [low, high] = interval
  return [
    formatValue(p50, unit),
    `${formatValue(low, unit)} – ${formatValue(high, unit)}`,
    formatValue(p99, unit),
    formatValue(max, unit),
    formatNumber(n),
  ]
}

function exponentOf({ exponent }: Series): string {
  return exponent === undefined
    ? ''
    : `${formatColumn(exponent.value)} (${formatColumn(exponent.low)} – ${formatColumn(exponent.high)})`
}

/** A column that says nothing is none. */
function withoutEmptyLast(rows: Rows): Rows {
  return rows.slice(1).every((row) => row.at(-1) === '') ? rows.map((row) => row.slice(0, -1)) : rows
}

function overview(
  results: Results,
  each: readonly { readonly name: string; readonly title: string }[],
  columns: readonly ReadmeColumn[],
): Rows {
  const rows = each
    .map(({ name, title }) => [title, ...columns.map(({ scenario }) => cellOf(results, scenario, name))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
  return [['', ...columns.map(({ heading }) => heading)], ...rows]
}

function cellOf(results: Results, scenarioName: string, name: string): string {
  const scenario = results.scenarios.find((one) => one.name === scenarioName)
  const point = scenario?.series.find(({ subject }) => subject === name)?.points[0]
  return scenario === undefined || point === undefined ? '' : formatValue(point.p50, scenario.unit)
}

function goalRows(goals: readonly GoalResult[]): Rows {
  const rows = goals.map(({ goal, value, limit, unit, better, isMet }) => [
    goal,
    formatValue(value, unit),
    `${better === 'lower' ? 'at most' : 'at least'} ${formatValue(limit, unit)}`,
    isMet ? 'met' : '**missed**',
  ])
  return [['aim', 'measured', 'goal', ''], ...rows]
}

function truthRows({ columns, rows }: TruthTable): Rows {
  const marks = { holds: '✓ ', breaks: '✗ ', unanswered: '? ' } as const
  const body = rows.map(({ title, cells }) => [
    title,
    ...cells.map(({ verdict, text }) => `${marks[verdict as keyof typeof marks] ?? ''}${text}`),
  ])
  return [['', ...columns], ...body]
}

function nameOf(results: Results, { subject, variant }: Series): string {
  const title = titleOf(results, subject)
  return variant === undefined ? title : `${title}, ${variant}`
}

function titleOf(results: Results, name: string): string {
  return [...results.subjects, ...results.services].find((one) => one.name === name)?.title ?? name
}

function circumstances({ machine, noise, date, scale }: Results): string {
  const { cpus, kernel, filesystem, node } = machine
  const load = `load ${formatNumber(noise.loadBefore)} before and ${formatNumber(noise.loadAfter)} after`
  return `${cpus}, ${kernel}, ${filesystem}, Node ${node}, ${load}, ${noise.priority} priority, scale \`${scale}\`, ${formatDate(date)} UTC`
}
