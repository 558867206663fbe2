import type { ExperimentResult, Results } from '../results.ts'
import { titleOf } from './findings.ts'
import { html, type Markup } from './html.ts'
import { type Cell, tableMarkup } from './table.ts'

const MARKS: Readonly<Record<ExperimentResult['verdict'], { readonly mark: string; readonly word: string }>> = {
  holds: { mark: '✓', word: 'Holds' },
  breaks: { mark: '✗', word: 'Breaks' },
  'not-applicable': { mark: '–', word: 'Does not apply' },
  unanswered: { mark: '?', word: 'Not answered' },
}

/** What was done to every subject and what it did: a table, and the evidence for each of its cells. */
export function correctnessSection(results: Results): Markup {
  const { experiments } = results
  const columns = [...new Map(experiments.map(({ experiment, title }) => [experiment, title]))]
  const subjects = [...new Set(experiments.map(({ subject }) => subject))]
  const resultOf = (subject: string, experiment: string): ExperimentResult | undefined =>
    experiments.find((one) => one.subject === subject && one.experiment === experiment)
  return html`<p>Each cell was seen on this machine, on real processes. ✓ as a user would wish, ✗ not so, – does not apply, ? could not be found out here.</p>
${tableMarkup({
  id: 'correctness-table',
  caption: 'What happens to the permits when …',
  heading: ['Subject', ...columns.map(([, title]) => title)],
  look: 'verdicts',
  rows: subjects.map((subject) => [
    titleOf(results, subject),
    ...columns.map(([experiment]) => verdictCell(resultOf(subject, experiment))),
  ]),
})}
<h3 id="evidence">Evidence</h3>
<p>What was done and seen, for each cell.</p>
${columns.map(
  ([experiment, title]) => html`<details><summary>${title}</summary><dl>
${experiments
  .filter((one) => one.experiment === experiment)
  .map(
    (
      one,
    ) => html`<div><dt>${titleOf(results, one.subject)} <span class="${one.verdict}">${MARKS[one.verdict].word}</span></dt><dd>${one.evidence}</dd></div>
`,
  )}</dl></details>
`,
)}`
}

function verdictCell(result: ExperimentResult | undefined): Cell {
  if (result === undefined) return { content: '', look: 'none' }
  const { mark, word } = MARKS[result.verdict]
  return {
    content: html`<span class="mark" aria-hidden="true">${mark}</span><span class="unseen">${word}: </span>${result.finding}`,
    look: result.verdict,
  }
}
