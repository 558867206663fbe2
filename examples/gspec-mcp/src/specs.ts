import { randomUUID } from 'node:crypto'
import { Mistake, type Store } from '@procref/example-gsc'

export const STATUSES = ['draft', 'accepted', 'implemented', 'retired'] as const
export type SpecStatus = (typeof STATUSES)[number]

export interface Spec {
  /** What people call it. */
  readonly id: string
  readonly title: string
  readonly text: string
  readonly status: SpecStatus
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

interface SpecRow extends Omit<Spec, 'id' | 'createdAt' | 'updatedAt'> {
  readonly name: string
  readonly made: string
  readonly createdAt: { toISOString(): string }
  readonly updatedAt: { toISOString(): string }
}

const COLUMNS = 'name, title, text, status, made, createdAt, updatedAt'

/** Throws a `Mistake` when there is one of that id. */
export async function createSpec(
  store: Store,
  { id, title, text, status }: Omit<Spec, 'createdAt' | 'updatedAt'>,
): Promise<Spec> {
  const made = randomUUID()
  try {
    await store.query(
      `CREATE type::record('spec', $id) CONTENT {
        name: $id, title: $title, text: $text, status: $status, made: $made, createdAt: time::now(), updatedAt: time::now()
      } RETURN NONE`,
      { id, title, text, status, made },
    )
  } catch (error) {
    const row = await readRow(store, id)
    if (row === undefined) throw error
    // The server may have died after it carried the call out; sent again, the call then meets its own work.
    if (row.made !== made) {
      throw new Mistake(
        `There is a specification ${id} already: "${row.title}". Change it with update_spec, or choose another id.`,
      )
    }
  }
  return await readSpec(store, id)
}

/** Changes what is given. Throws a `Mistake` when there is none of that id. */
export async function updateSpec(
  store: Store,
  id: string,
  changes: { readonly [K in 'title' | 'text' | 'status']?: Spec[K] | undefined },
): Promise<Spec> {
  await readSpec(store, id)
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  await store.query(
    "UPDATE type::record('spec', $id) MERGE object::extend($given, { updatedAt: time::now() }) RETURN NONE",
    { id, given },
  )
  return await readSpec(store, id)
}

/** Throws a `Mistake` that names similar ids when there is none of that id. */
export async function readSpec(store: Store, id: string): Promise<Spec> {
  const row = await readRow(store, id)
  if (row !== undefined) return toSpec(row)
  const [similar] = await store.query<[{ name: string }[]]>(
    'SELECT name, string::distance::damerau_levenshtein(name, $id) AS distance FROM spec ORDER BY distance LIMIT 5',
    { id },
  )
  const ids = similar.map(({ name }) => name)
  const hint =
    ids.length === 0
      ? 'There is none at all yet: call create_spec.'
      : `There are: ${ids.join(', ')}. list_specs shows all.`
  throw new Mistake(`There is no specification ${id}. ${hint}`)
}

/** By id; of a status, or of all. */
export async function listSpecs(store: Store, status: SpecStatus | undefined): Promise<readonly Spec[]> {
  const where = status === undefined ? '' : 'WHERE status = $status'
  const [rows] = await store.query<[SpecRow[]]>(
    `SELECT ${COLUMNS} FROM spec ${where} ORDER BY name`,
    status && { status },
  )
  return rows.map(toSpec)
}

/** Those that have every word somewhere in id, title or text, upper and lower case alike. */
export async function searchSpecs(store: Store, words: readonly string[]): Promise<readonly Spec[]> {
  const variables = Object.fromEntries(words.map((word, i) => [`word${i}`, word.toLowerCase()]))
  const has = words.map(
    (_, i) => `string::contains(string::lowercase(string::join(' ', name, title, text)), $word${i})`,
  )
  const where = has.length === 0 ? '' : `WHERE ${has.join(' AND ')}`
  const [rows] = await store.query<[SpecRow[]]>(`SELECT ${COLUMNS} FROM spec ${where} ORDER BY name`, variables)
  return rows.map(toSpec)
}

async function readRow(store: Store, id: string): Promise<SpecRow | undefined> {
  const [rows] = await store.query<[SpecRow[]]>(`SELECT ${COLUMNS} FROM type::record('spec', $id)`, { id })
  return rows[0]
}

function toSpec({ name, made: _, createdAt, updatedAt, ...rest }: SpecRow): Spec {
  return { id: name, ...rest, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
