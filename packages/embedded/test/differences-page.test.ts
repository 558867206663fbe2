import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Difference, type Divergence, type Verdict, verdicts } from './referee.ts'

const PAGE = fileURLToPath(new URL('../../../docs/embedded-differences.md', import.meta.url))

/** So much of an answer is shown. */
const SHOWN = 160

test('docs/embedded-differences.md says what the lists of cases found', async () => {
  const found = verdicts()
  expect(found.length).toBeGreaterThan(0)
  await expect(page(found)).toMatchFileSnapshot(PAGE)
})

function page(found: readonly Verdict[]): string {
  const count = (verdict: Verdict): number => Object.keys(verdict.differences).length
  const rows = found.map((verdict) => [verdict.about, String(verdict.cases), String(count(verdict))])
  return `<!-- Made by packages/embedded/test/differences-page.test.ts from packages/embedded/test/differences; do not edit. -->

# What the embedded server answers differently

The same calls are made to the embedded server (engine 3.0.2) and to the real one (3.3.5), and the answers compared value by value; times, and what each
server makes up by itself (ids, tokens), are left out of account. In the cases below the answers differ, and the tests fail when one comes, goes or changes.

${table(['list', 'cases', 'differ'], rows)}
${found
  .filter((verdict) => count(verdict) > 0)
  .map(section)
  .join('')}`
}

function section({ about, differences }: Verdict): string {
  const rows = Object.entries(differences).flatMap(([name, difference]) => rowsOf(name, difference))
  return `
## ${about}

${table(['case', 'where', 'embedded', 'real', 'why'], rows)}
`
}

function rowsOf(name: string, { reason, parts }: Difference): readonly (readonly string[])[] {
  return parts.map((part, i) => (i === 0 ? [name, ...cells(part), reason] : ['', ...cells(part), '']))
}

function cells({ at, embedded, real }: Divergence): readonly string[] {
  return [at === '' ? '' : code(at), code(shown(embedded)), code(shown(real))]
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

/** Any text as code in a cell: nothing in it ends the one or the other. */
function code(text: string): string {
  const line = text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
  const ticks = '`'.repeat(Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length)) + 1)
  return ticks === '`' ? `\`${line}\`` : `${ticks} ${line} ${ticks}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}
