import type { Store, SymbolRow } from '@procref/example-gsc'
import { mustHaveIndex } from './folders.ts'

export interface SymbolQuery {
  readonly query: string
  readonly kind?: string | undefined
  /** An indexed folder's root. */
  readonly root?: string | undefined
  readonly limit: number
}

/** How a name was found: it begins with what was asked, contains it, or only resembles it. */
export type Match = 'prefix' | 'part' | 'similar'

export type Found = SymbolRow & { readonly match: Match }

const COLUMNS = 'root, path, language, kind, name, container, qualified, signature, line, column, endLine, body'

/** From the best to the worst; only the first is answered from an index, so the others are asked only when it found too little. */
const STAGES: readonly { readonly match: Match; readonly where: string }[] = [
  { match: 'prefix', where: 'folded >= $name AND folded < $after' },
  { match: 'part', where: 'string::contains(folded, $name)' },
  {
    match: 'similar',
    where: `((string::len(folded) <= $longest AND string::matches(folded, $letters))
      OR string::distance::damerau_levenshtein(folded, $name) <= $typos)`,
  },
]

/**
 * Symbols whose name begins with, contains or resembles `query`, upper and lower case alike, best first. In `Pool.cla` what stands before
 * the last dot has to be in the container. Throws a `Mistake` when nothing is indexed.
 */
export async function findSymbols(store: Store, { query, kind, root, limit }: SymbolQuery): Promise<readonly Found[]> {
  const asked = query.trim().replaceAll('::', '.').replaceAll('#', '').toLowerCase()
  const dot = asked.lastIndexOf('.')
  const name = asked.slice(dot + 1)
  const container = asked.slice(0, Math.max(dot, 0))
  const variables = {
    name,
    // No character sorts behind this one.
    after: `${name}\u{10FFFF}`,
    letters: [...name].map((letter) => letter.replace(/[^\p{L}\p{N}_]/u, '\\$&')).join('.*'),
    // Letters that are spread over a long name are chance.
    longest: name.length * 3,
    typos: name.length < 4 ? 0 : name.length < 7 ? 1 : 2,
    limit,
    ...(container !== '' && { container }),
    ...(kind !== undefined && { kind }),
    ...(root !== undefined && { root }),
  }
  const filters = [
    ...(container === '' ? [] : ["string::contains(string::lowercase(container ?? ''), $container)"]),
    ...(kind === undefined ? [] : ['kind = $kind']),
    ...(root === undefined ? [] : ['root = $root']),
  ]
  const found = new Map<string, Found>()
  for (const { match, where } of STAGES) {
    const [rows] = await store.query<[(SymbolRow & { distance: number })[]]>(
      `SELECT ${COLUMNS}, string::distance::damerau_levenshtein(folded, $name) AS distance FROM symbol
      WHERE ${[where, ...filters].join(' AND ')} ORDER BY distance, qualified, path, line LIMIT $limit`,
      variables,
    )
    for (const { distance: _, ...row } of rows) {
      const key = JSON.stringify([row.root, row.path, row.line, row.column])
      if (!found.has(key) && found.size < limit) found.set(key, { ...row, match })
    }
    // What only resembles is of no use beside what matches, and takes a look at every symbol.
    if (found.size >= limit || name === '' || (match === 'part' && found.size > 0)) break
  }
  if (found.size === 0) await mustHaveIndex(store)
  return [...found.values()]
}
