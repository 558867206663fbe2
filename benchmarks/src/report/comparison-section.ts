import type { Change, Comparison } from '../compare.ts'
import { counted, formatDate, formatNumber, formatValue } from '../format.ts'
import type { Results } from '../results.ts'
import { byImportance, nameOfChange, ratioText } from '../tables.ts'
import { titleOf } from './findings.ts'
import { html, type Markup } from './html.ts'
import { foldedTable, type Table, tableMarkup } from './table.ts'

/** What changed since an earlier run: what is proven in the open, the rest folded. */
export function comparisonSection(results: Results, comparison: Comparison): Markup {
  const { before, changes, warnings, margin, onlyNow, onlyBefore } = comparison
  const proven = byImportance(changes).filter(({ verdict }) => verdict !== 'no difference proven')
  const bad = proven.filter(({ verdict }) => verdict === 'slower' || verdict === 'worse').length
  const others = changes.filter(({ verdict }) => verdict === 'no difference proven')
  return html`<p class="finding">Of ${counted(changes.length, 'number', 'numbers')} that both runs have, ${bad} got worse, ${proven.length - bad} better, and for ${others.length} no difference is proven.</p>
${warnings.length === 0 ? undefined : html`<div class="failed"><p><b>Beware</b></p><ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`}
${proven.length === 0 ? undefined : tableMarkup(changesTable(results, proven, 'proven-changes', 'Proven differences, the largest first'))}
${others.length === 0 ? undefined : foldedTable(changesTable(results, others, 'other-changes', 'No difference proven'), `No difference proven: ${counted(others.length, 'number', 'numbers')}`, 'compared with an earlier run')}
<p class="method"><b>Method.</b> Compared with the run of ${formatDate(before.date)} UTC (scale ${before.scale}). The ratio is the median now over the median then, with its
95 % interval by bootstrap. A difference counts as proven when the whole interval is beyond a factor of ${formatNumber(margin)}, by which the same fixed work varied within
the two runs; among many numbers, a few can still be beyond it by chance.</p>
${onlyNow.length === 0 ? undefined : html`<p>Only this run has: ${onlyNow.join('; ')}.</p>`}
${onlyBefore.length === 0 ? undefined : html`<p>Only the earlier run has: ${onlyBefore.join('; ')}.</p>`}
`
}

function changesTable(results: Results, changes: readonly Change[], id: string, caption: string): Table {
  const scenarioTitle = (name: string): string => results.scenarios.find((one) => one.name === name)?.title ?? name
  return {
    id,
    caption,
    heading: ['Subject', 'Scenario', 'Before', 'Now', 'Ratio (95 %)', 'Verdict'],
    look: 'numbers second-is-text',
    rows: changes.map((change) => [
      nameOfChange({ ...change, subject: titleOf(results, change.subject) }),
      { content: scenarioTitle(change.scenario), look: 'text' },
      formatValue(change.before, change.unit),
      { content: formatValue(change.now, change.unit), look: 'key' },
      ratioText(change),
      { content: `${ARROWS[change.verdict]}${change.verdict}`, look: LOOKS[change.verdict] },
    ]),
  }
}

const ARROWS = { faster: '▼ ', slower: '▲ ', better: '✓ ', worse: '✗ ', 'no difference proven': '' } as const

const LOOKS = {
  faster: 'holds',
  slower: 'breaks',
  better: 'holds',
  worse: 'breaks',
  'no difference proven': 'none',
} as const
