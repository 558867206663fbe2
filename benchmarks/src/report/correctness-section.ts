import type { ExperimentResult, Results } from '../results.ts'
import { correctnessTable, type TruthCell, type TruthTable, truthTables } from '../truth-tables.ts'
import { titleOf } from './findings.ts'
import { html, type Markup } from './html.ts'
import { prose } from './prose.ts'
import { type Cell, tableMarkup } from './table.ts'

const MARKS: Readonly<Record<TruthCell['verdict'], { readonly mark: string; readonly word: string }>> = {
  holds: { mark: '✓', word: 'Holds' },
  breaks: { mark: '✗', word: 'Breaks' },
  'not-applicable': { mark: '–', word: 'Does not apply' },
  unanswered: { mark: '?', word: 'Not answered' },
  measured: { mark: '', word: 'Measured' },
  missing: { mark: '', word: 'Not looked at' },
}

/** What was done to every subject and what it did: the tables, and the evidence for their cells. */
export function correctnessSection(results: Results): Markup {
  const tables = [...truthTables(results), correctnessTable(results)].filter(isLookedAt)
  const experiments = [...new Map(results.experiments.map(({ experiment, title }) => [experiment, title]))]
  return html`<p>Each cell was seen on this machine, on real processes. ✓ is as a user would wish, ✗ is not; – does not apply, ? could not be found out here.</p>
${tables.map(truthTable)}
<h3 id="evidence">Evidence</h3>
<p>What was done and seen, for each cell of the last table.</p>
${experiments.map(
  ([experiment, title]) => html`<details><summary>${title}</summary><dl>
${results.experiments.filter((one) => one.experiment === experiment).map((one) => evidenceOf(results, one))}</dl></details>
`,
)}`
}

/** A run of a few experiments leaves a table empty. */
function isLookedAt({ rows }: TruthTable): boolean {
  return rows.some(({ cells }) => cells.some(({ verdict }) => verdict !== 'missing' && verdict !== 'measured'))
}

function truthTable({ title, columns, rows }: TruthTable, n: number): Markup {
  return tableMarkup({
    id: `correctness-table-${n + 1}`,
    caption: title,
    heading: ['Subject', ...columns],
    look: 'verdicts',
    rows: rows.map((row) => [row.title, ...row.cells.map(verdictCell)]),
  })
}

function verdictCell({ verdict, text }: TruthCell): Cell {
  const { mark, word } = MARKS[verdict]
  const shown = mark === '' ? undefined : html`<span class="mark" aria-hidden="true">${mark}</span>`
  return { content: html`${shown}<span class="unseen">${word}: </span>${prose(text)}`, look: verdict }
}

function evidenceOf(results: Results, { subject, verdict, finding, evidence }: ExperimentResult): Markup {
  return html`<div><dt>${titleOf(results, subject)} <span class="${verdict}">${MARKS[verdict].word}: ${prose(finding)}</span></dt><dd>${prose(evidence)}</dd></div>
`
}
