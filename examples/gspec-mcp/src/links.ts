import {
  foldedName,
  Mistake,
  parseReference,
  preciseName,
  type ResolvedSymbol,
  resolve,
  resolveAll,
  type Store,
} from '@procref/example-gsc'
import { readSpec } from './specs.ts'

/**
 * How a link stands, worked out from the index whenever somebody asks, never stored:
 * `pending`: nothing of that name is indexed yet; `unreviewed`: the symbol has appeared since, nobody has compared it with the text;
 * `current`: it is as it was when it was linked or last reviewed; `stale`: it has changed since; `missing`: it was there and is not
 * any more; `ambiguous`: several symbols have that name by now.
 */
export const LINK_STATES = ['pending', 'unreviewed', 'current', 'stale', 'missing', 'ambiguous'] as const
export type LinkState = (typeof LINK_STATES)[number]

export interface Link {
  readonly spec: string
  /** As it was written when it was linked. */
  readonly symbol: string
  readonly state: LinkState
  /** Where it is now, unless it is pending, missing or ambiguous. */
  readonly resolved?: ResolvedSymbol
}

interface LinkRow {
  readonly spec: string
  readonly symbol: string
  readonly body?: string
}

/**
 * Links a specification to a symbol, which need not be indexed yet, and takes the symbol as reviewed if it is. A link that exists is left as it is.
 * Throws a `Mistake` when there is no such specification, and when the name can mean several symbols.
 */
export async function linkSymbol(store: Store, spec: string, symbol: string): Promise<Link> {
  await readSpec(store, spec)
  const meant = await resolve(store, symbol)
  if (meant.length > 1) {
    throw new Mistake(
      `${symbol} can be any of ${meant.length} symbols. Give one of: ${meant.slice(0, 20).map(preciseName).join(', ')}.`,
    )
  }
  const [found] = meant
  await store.query(
    `INSERT IGNORE INTO link {
      id: [$spec, $symbol], spec: $spec, symbol: $symbol, folded: $folded, body: $body,
      linkedAt: time::now(), reviewedAt: IF $body = NONE { NONE } ELSE { time::now() }
    } RETURN NONE`,
    { spec, symbol, folded: foldedName(parseReference(symbol)), body: found?.body },
  )
  return await readLink(store, spec, symbol)
}

/** Throws a `Mistake` when there is no such link. */
export async function unlinkSymbol(store: Store, spec: string, symbol: string): Promise<void> {
  await readLink(store, spec, symbol)
  await store.query("DELETE type::record('link', [$spec, $symbol]) RETURN NONE", { spec, symbol })
}

/**
 * Takes links as reviewed: their symbols are now what the specification was compared with. All that can be of a specification, or
 * one. Returns the links that changed their state by that. Throws a `Mistake` for a specification or a link that does not exist.
 */
export async function reviewLinks(store: Store, spec: string, symbol: string | undefined): Promise<readonly Link[]> {
  await readSpec(store, spec)
  const links = symbol === undefined ? await linksOf(store, [spec]) : [await readLink(store, spec, symbol)]
  const reviewed = links.filter(({ state }) => state === 'stale' || state === 'unreviewed')
  for (const { symbol, resolved } of reviewed) {
    await store.query(
      "UPDATE type::record('link', [$spec, $symbol]) SET body = $body, reviewedAt = time::now() RETURN NONE",
      {
        spec,
        symbol,
        body: resolved?.body,
      },
    )
  }
  return reviewed
}

/** The links of these specifications, or all, by specification and symbol. */
export async function linksOf(store: Store, specs?: readonly string[]): Promise<readonly Link[]> {
  const where = specs === undefined ? '' : 'WHERE spec IN $specs'
  const [rows] = await store.query<[LinkRow[]]>(
    `SELECT spec, symbol, body FROM link ${where} ORDER BY spec, symbol`,
    specs && { specs },
  )
  const meant = await resolveAll(
    store,
    rows.map(({ symbol }) => parseReference(symbol)),
  )
  return rows.map((row, i) => toLink(row, meant[i] ?? []))
}

async function readLink(store: Store, spec: string, symbol: string): Promise<Link> {
  await readSpec(store, spec)
  const links = await linksOf(store, [spec])
  const link = links.find((other) => other.symbol === symbol)
  if (link !== undefined) return link
  const others = links.map((other) => other.symbol)
  throw new Mistake(`${spec} is not linked to ${symbol}. Its links: ${others.join(', ') || 'none'}.`)
}

function toLink({ spec, symbol, body }: LinkRow, meant: readonly ResolvedSymbol[]): Link {
  const [resolved, ...others] = meant
  if (resolved === undefined) return { spec, symbol, state: body === undefined ? 'pending' : 'missing' }
  if (others.length > 0) return { spec, symbol, state: 'ambiguous' }
  if (body === undefined) return { spec, symbol, state: 'unreviewed', resolved }
  return { spec, symbol, state: body === resolved.body ? 'current' : 'stale', resolved }
}
