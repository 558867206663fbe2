import { randomBytes } from 'node:crypto'
import { RecordId, type Surreal } from 'surrealdb'

const TABLE = 'row'

/** As small as a query can be that is no constant. */
export async function smallQuery(db: Surreal, n: number): Promise<void> {
  const [result] = await db.query<[number]>('RETURN $x + 1', { x: n })
  if (result !== n + 1) throw new Error(`the server answered ${String(result)} to ${n} + 1`)
}

/** One statement, one transaction. Their text cannot be compressed, so that the database grows by what is written. */
export async function fillRows(db: Surreal, from: number, to: number, bytes: number): Promise<void> {
  const text = randomBytes(Math.ceil((bytes * (to - from) * 3) / 4)).toString('base64')
  const rows = Array.from({ length: to - from }, (_, n) => ({
    id: new RecordId(TABLE, from + n),
    n: from + n,
    text: text.slice(n * bytes, (n + 1) * bytes),
  }))
  await db.query(`INSERT INTO ${TABLE} $rows RETURN NONE`, { rows })
}

export async function lookUpRow(db: Surreal, n: number): Promise<void> {
  const [row] = await db.query<[{ readonly n: number }]>(`SELECT * FROM ONLY $id`, { id: new RecordId(TABLE, n) })
  if (row.n !== n) throw new Error(`the server answered ${JSON.stringify(row)} instead of row ${n}`)
}

/** The bytes of their texts. */
export async function readRows(db: Surreal, count: number): Promise<number> {
  const [texts] = await db.query<[string[]]>(`SELECT VALUE text FROM ${TABLE} LIMIT $count`, { count })
  if (texts.length !== count) throw new Error(`the server answered ${texts.length} rows instead of ${count}`)
  return texts.reduce((sum, { length }) => sum + length, 0)
}
