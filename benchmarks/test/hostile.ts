import { compare } from '../src/compare.ts'
import { reportHtml } from '../src/report/report.ts'
import type { Results } from '../src/results.ts'
import { syntheticResults } from './synthetic-results.ts'

/** Ends every element, attribute and comment that a text can stand in, and would then run. */
export const HOSTILE = `'"></svg></style></title></desc></text>--><script>throw new Error('it ran')</script><img src="x" onerror="throw 1"> style="color:red" \`<b>\` &amp;`

/** What the document may only say in fixed words: these stay, so that it is still one. */
const FIXED = new Set([
  'format',
  'date',
  'scale',
  'unit',
  'better',
  'verdict',
  'priority',
  'name',
  'subject',
  'experiment',
])

/** A report of a document whose every free text is hostile. */
export function hostileReport(): string {
  const results = hostile(syntheticResults(), '') as Results
  const few = results.scenarios.filter(({ name }) => name === 'connect')
  return reportHtml(
    results,
    compare({ ...results, scenarios: few }, { ...results, machine: { ...results.machine, cpus: HOSTILE } }),
  )
}

function hostile(value: unknown, key: string): unknown {
  if (typeof value === 'string') return FIXED.has(key) ? value : `${HOSTILE} ${value}`
  if (Array.isArray(value)) return value.map((one) => hostile(one, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      key === 'versions' ? `${HOSTILE} ${name}` : name,
      key === 'axis' && name === 'scale' ? inner : hostile(inner, name),
    ]),
  )
}
