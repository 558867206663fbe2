import { Mistake } from './mistake.ts'
import type { Store } from './store.ts'

/** A definition that gcode found. Lines and columns count from 1. */
export interface SymbolRow {
  /** The indexed folder, an absolute path. */
  readonly root: string
  /** The file, relative to `root`, with forward slashes. */
  readonly path: string
  readonly language: string
  readonly kind: string
  readonly name: string
  /** The qualified name of what it is defined in. */
  readonly container?: string
  /** `Container.name`, as deep as it goes. */
  readonly qualified: string
  /** Its first line up to the body, on one line. */
  readonly signature: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  /** Hash of its text. */
  readonly body: string
}

const COLUMNS = 'root, path, language, kind, name, container, qualified, signature, line, column, endLine, body'

/** A symbol as people write it: a name, with as much of its container, or of its file, in front as tells it from others. */
export interface SymbolReference {
  readonly path?: string
  /** `Pool.claim` or `claim` */
  readonly qualified: string
}

/**
 * Reads `claim`, `Pool.claim`, `src/pool.ts#Pool.claim`; `::` counts as a dot, and the `#` of a private name as nothing.
 * Throws a `Mistake` for an empty name.
 */
export function parseReference(text: string): SymbolReference {
  const normal = text.trim().replaceAll('::', '.').replaceAll('.#', '.').replaceAll('##', '#')
  const at = normal.indexOf('#')
  const qualified = normal.slice(at + 1)
  if (qualified === '' || qualified.startsWith('.') || qualified.endsWith('.')) {
    throw new Mistake(`${JSON.stringify(text)} names no symbol. Write "name", "Container.name" or "path/to/file#name".`)
  }
  return at > 0 ? { path: normal.slice(0, at).replace(/^\.\//, ''), qualified } : { qualified }
}

/** Several definitions with one qualified name in one file (overloads, merged declarations) are one symbol. */
export interface ResolvedSymbol {
  readonly root: string
  readonly path: string
  readonly qualified: string
  readonly kind: string
  /** Changes whenever the text of one of its definitions does. */
  readonly body: string
  readonly definitions: readonly SymbolRow[]
}

/** All symbols that each of the references can mean, in the order of the references; sorted by file. */
export async function resolveAll(
  store: Store,
  references: readonly SymbolReference[],
): Promise<readonly (readonly ResolvedSymbol[])[]> {
  const folded = [...new Set(references.map(foldedName))]
  // One lookup for each name: a list would make the database look at every symbol.
  const text = folded.map((_, i) => `SELECT ${COLUMNS} FROM symbol WHERE folded = $name${i}`).join(';')
  const variables = Object.fromEntries(folded.map((name, i) => [`name${i}`, name]))
  const found = folded.length === 0 ? [] : await store.query<SymbolRow[][]>(text, variables)
  const byName = new Map(folded.map((name, i) => [name, found[i] ?? []]))
  return references.map((reference) => {
    const rows = byName.get(foldedName(reference)) ?? []
    return group(rows.filter((row) => isMeant(row, reference)))
  })
}

/** As `resolveAll`, for one reference as it was written. */
export async function resolve(store: Store, text: string): Promise<readonly ResolvedSymbol[]> {
  const [found = []] = await resolveAll(store, [parseReference(text)])
  return found
}

/** For each symbol the ids of the specifications that are linked to it. */
export async function specsOf(store: Store, rows: readonly SymbolRow[]): Promise<readonly (readonly string[])[]> {
  const [links] = await store.query<[{ spec: string; symbol: string }[]]>(
    'SELECT spec, symbol FROM link WHERE folded IN $names ORDER BY spec',
    { names: [...new Set(rows.map(({ name }) => name.toLowerCase()))] },
  )
  return rows.map((row) => {
    const linked = links.filter(({ symbol }) => isMeant(row, parseReference(symbol)))
    return [...new Set(linked.map(({ spec }) => spec))]
  })
}

/** How to name this symbol so that it is told from all others of its folder. */
export function preciseName({ path, qualified }: Pick<ResolvedSymbol, 'path' | 'qualified'>): string {
  return `${path}#${qualified}`
}

function isMeant(row: SymbolRow, { path, qualified }: SymbolReference): boolean {
  if (row.qualified !== qualified && !row.qualified.endsWith(`.${qualified}`)) return false
  return (
    path === undefined ||
    row.path === path ||
    `${row.root}/${row.path}`.endsWith(path.startsWith('/') ? path : `/${path}`)
  )
}

function group(rows: readonly SymbolRow[]): readonly ResolvedSymbol[] {
  const groups = new Map<string, SymbolRow[]>()
  for (const row of rows.toSorted((a, b) => a.line - b.line))
    groups.set(key(row), [...(groups.get(key(row)) ?? []), row])
  return [...groups.values()]
    .flatMap((definitions) => {
      const [first] = definitions
      if (first === undefined) return []
      const { root, path, qualified, kind } = first
      const body = definitions.map((row) => row.body).join('+')
      return [{ root, path, qualified, kind, body, definitions }]
    })
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

function key({ root, path, qualified }: Pick<SymbolRow, 'root' | 'path' | 'qualified'>): string {
  return JSON.stringify([root, path, qualified])
}

/** The name by which a symbol is looked up: without container, in lower case. */
export function foldedName({ qualified }: Pick<SymbolReference, 'qualified'>): string {
  return qualified.slice(qualified.lastIndexOf('.') + 1).toLowerCase()
}
