import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Defines, type Found, MODEL } from './spin.ts'

export const PAGE = resolve(import.meta.dirname, '../../docs/model/README.md')
export const RESULTS = resolve(import.meta.dirname, '../soak/results/model.json')

export type Result = Pick<Found, 'states' | 'transitions' | 'depth' | 'memoryMb' | 'seconds'> & {
  readonly name: string
  readonly defines: Defines
}

/** What `pnpm soak` found, and in which model. */
export interface Report {
  readonly date: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly model: string
  readonly results: readonly Result[]
}

/** Changes with whatever changes what spin finds; not with comments and spaces. */
export function modelDigest(): string {
  const code = readFileSync(MODEL, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
  return createHash('sha256').update(code).digest('hex')
}

const HEADING = '## Results\n'

/** The page with the results of `report` as its last section. */
export function pageWith(page: string, report: Report): string {
  const start = page.indexOf(HEADING)
  if (start < 0) throw new Error(`${PAGE} has no heading "${HEADING.trim()}"`)
  const rows = report.results.map(
    ({ name, states, transitions, depth, memoryMb, seconds }) =>
      `| ${name} | ${grouped(states)} | ${grouped(transitions)} | ${depth} | ${grouped(Math.round(memoryMb))} | ${grouped(Math.round(seconds))} |`,
  )
  return `${page.slice(0, start)}${HEADING}
Of ${report.date.slice(0, 10)}, written by \`pnpm soak model\` (\`tests/soak/results/model.json\`): every state was visited, none violates anything.

| searched | states | transitions | depth | memory, MB | s |
|---|---|---|---|---|---|
${rows.join('\n')}
`
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
