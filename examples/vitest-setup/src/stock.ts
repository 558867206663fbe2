import { RecordId, type Surreal } from 'surrealdb'

export const SCHEMA = `
  DEFINE TABLE item SCHEMAFULL;
  DEFINE FIELD left ON item TYPE int ASSERT $value >= 0;
`

/** Of several who change the same shelf at the same moment all but one are told to try again. */
const CONFLICTS = { attempts: 20 }

export class SoldOutError extends Error {
  constructor(item: string, left: number) {
    super(`of ${item} there are only ${left} left`)
  }
}

/** Puts `count` more of the item on the shelf. */
export async function restock(db: Surreal, item: string, count: number): Promise<number> {
  const [left] = await db
    .query<[number]>('UPSERT ONLY $id SET left += $count RETURN VALUE left', { id: idOf(item), count })
    .retry(CONFLICTS)
  return left
}

/** Takes `count` of the item, or none: of several that want the last one, one gets it. */
export async function take(db: Surreal, item: string, count: number): Promise<number> {
  // One statement: between a look and a write somebody else could take it.
  const [taken] = await db
    .query<[number[]]>('UPDATE $id SET left -= $count WHERE left >= $count RETURN VALUE left', {
      id: idOf(item),
      count,
    })
    .retry(CONFLICTS)
  const [left] = taken
  if (left === undefined) throw new SoldOutError(item, await leftOf(db, item))
  return left
}

export async function leftOf(db: Surreal, item: string): Promise<number> {
  const [left] = await db.query<[number | undefined]>('SELECT VALUE left FROM ONLY $id', { id: idOf(item) })
  return left ?? 0
}

function idOf(item: string): RecordId {
  return new RecordId('item', item)
}
