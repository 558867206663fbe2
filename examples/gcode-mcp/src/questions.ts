import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import {
  Mistake,
  parseReference,
  preciseName,
  type ResolvedSymbol,
  resolve,
  type Store,
  type SymbolRow,
  specsOf,
} from '@procref/example-gsc'
import { contentHash } from './content-hash.ts'
import type { MentionKind, Site } from './extract.ts'
import { findSymbols } from './find-symbols.ts'
import { mustHaveIndex } from './folders.ts'
import { languageOf } from './languages.ts'

const MAX_SOURCE_LINES = 80
const SUGGESTIONS = 5

export interface Definition extends SymbolRow {
  /** The text, at most 80 lines of it; missing when the file is gone or was changed since. */
  readonly source?: string
  readonly outdated: boolean
  /** Specifications that gspec has linked to it. */
  readonly specs: readonly string[]
}

/** Every definition that the reference can mean. Throws a `Mistake` with similar names when there is none. */
export async function definitions(store: Store, reference: string): Promise<readonly Definition[]> {
  const symbols = await resolve(store, reference)
  if (symbols.length === 0) throw await unknownSymbol(store, reference)
  const rows = symbols.flatMap((symbol) => symbol.definitions)
  const specs = await specsOf(store, rows)
  return await Promise.all(rows.map(async (row, i) => ({ ...(await withSource(store, row)), specs: specs[i] ?? [] })))
}

async function withSource(store: Store, row: SymbolRow): Promise<Omit<Definition, 'specs'>> {
  const language = languageOf(row.path)
  const [hash] = await store.query<[string | undefined]>(
    "SELECT VALUE hash FROM ONLY type::record('file', [$root, $path])",
    { root: row.root, path: row.path },
  )
  const bytes = await readFile(`${row.root}/${row.path}`).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return undefined
    throw error
  })
  if (bytes === undefined || language === undefined || contentHash(language, bytes) !== hash)
    return { ...row, outdated: true }
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .slice(row.line - 1, row.endLine)
  const shown = lines.slice(0, MAX_SOURCE_LINES)
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`)
  return { ...row, source: shown.join('\n'), outdated: false }
}

export interface Reference extends Site {
  readonly root: string
  readonly path: string
}

export interface References {
  readonly symbols: readonly ResolvedSymbol[]
  /** Sorted by file and position; `total` counts those left out too. */
  readonly references: readonly Reference[]
  readonly total: number
}

export interface ReferenceQuery {
  readonly symbol: string
  readonly kinds?: readonly MentionKind[] | undefined
  readonly limit: number
}

/**
 * Where a symbol's name is mentioned, in the folders that define it, or everywhere for a name that no indexed file defines.
 *
 * By name: of two symbols with one name in a folder each is said to be mentioned wherever the other is.
 * Throws a `Mistake` with similar names when nothing defines or mentions it.
 */
export async function references(store: Store, { symbol, kinds, limit }: ReferenceQuery): Promise<References> {
  const { qualified } = parseReference(symbol)
  const symbols = await resolve(store, symbol)
  const roots = new Set(symbols.map(({ root }) => root))
  const [rows] = await store.query<[{ root: string; path: string; sites: Site[] }[]]>(
    'SELECT root, path, sites FROM mention WHERE name = $name',
    { name: qualified.slice(qualified.lastIndexOf('.') + 1) },
  )
  if (symbols.length === 0 && rows.length === 0) throw await unknownSymbol(store, symbol)
  const all = rows
    .filter(({ root }) => roots.size === 0 || roots.has(root))
    .toSorted((a, b) => (a.root + a.path < b.root + b.path ? -1 : 1))
    .flatMap(({ root, path, sites }) => sites.map((site) => ({ root, path, ...site })))
    .filter(({ kind }) => kinds === undefined || kinds.includes(kind))
  return { symbols, references: all.slice(0, limit), total: all.length }
}

export interface Caller {
  readonly root: string
  readonly path: string
  /** Missing for calls outside of every symbol. */
  readonly qualified?: string
  readonly lines: readonly number[]
}

/** Who calls or constructs a symbol, by name; see `references`. */
export async function callers(
  store: Store,
  symbol: string,
): Promise<{ symbols: readonly ResolvedSymbol[]; callers: readonly Caller[] }> {
  const found = await references(store, { symbol, kinds: ['call', 'new'], limit: Number.MAX_SAFE_INTEGER })
  const groups = new Map<string, Caller & { lines: number[] }>()
  for (const { root, path, within, line } of found.references) {
    const key = JSON.stringify([root, path, within])
    const group = groups.get(key) ?? { root, path, ...(within !== undefined && { qualified: within }), lines: [] }
    group.lines.push(line)
    groups.set(key, group)
  }
  return { symbols: found.symbols, callers: [...groups.values()] }
}

export interface Outline {
  readonly root: string
  readonly path: string
  readonly language: string
  readonly lines: number
  readonly symbols: readonly SymbolRow[]
}

/** The symbols of a file in their order. `file`: an absolute path, or the end of a path of one indexed file. Throws a `Mistake`. */
export async function outline(store: Store, file: string): Promise<Outline> {
  const asked = file.trim().replaceAll('\\', '/').replace(/^\.\//, '')
  const where = isAbsolute(asked)
    ? "string::concat(root, '/', path) = $asked"
    : "path = $asked OR string::ends_with(path, string::concat('/', $asked))"
  const [files] = await store.query<[Omit<Outline, 'symbols'>[]]>(
    `SELECT root, path, language, lines FROM file WHERE ${where} ORDER BY root, path`,
    { asked },
  )
  const [found, ...others] = files
  if (found === undefined) {
    await mustHaveIndex(store)
    throw new Mistake(
      `${file} is not indexed. Is it a source file below a folder that list_folders shows? Then call index_folder for that.`,
    )
  }
  if (others.length > 0) {
    const paths = files.map(({ root, path }) => `${root}/${path}`)
    throw new Mistake(
      `${file} can be any of ${files.length} files. Give more of its path:\n${paths.slice(0, 20).join('\n')}`,
    )
  }
  const [symbols] = await store.query<[SymbolRow[]]>(
    `SELECT root, path, language, kind, name, container, qualified, signature, line, column, endLine, body
    FROM symbol:[$root, $path, NONE]..[$root, $path, ..]`,
    { root: found.root, path: found.path },
  )
  return { ...found, symbols }
}

async function unknownSymbol(store: Store, reference: string): Promise<Mistake> {
  const { qualified } = parseReference(reference)
  const query = qualified.slice(qualified.lastIndexOf('.') + 1)
  const similar = await findSymbols(store, { query, limit: SUGGESTIONS })
  const names = similar.map((row) => preciseName(row))
  const hint = names.length === 0 ? 'Call find_symbols with a part of its name.' : `Similar: ${names.join(', ')}.`
  return new Mistake(
    `No indexed symbol is called ${reference}. ${hint} If its file is new or has changed, call index_folder first.`,
  )
}
