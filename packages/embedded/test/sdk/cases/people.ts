import { RecordId, type SurrealQueryable, Table } from 'surrealdb'

export interface Person {
  [field: string]: unknown
  name: string
  age: number
}

export const PERSON = new Table('person')
export const KNOWS = new Table('knows')
export const person = (id: number): RecordId => new RecordId('person', id)

/** Three people and a team, with the ids 1 to 3. */
export async function insertPeople(db: SurrealQueryable): Promise<void> {
  const team = new RecordId('team', 'blue')
  await db.query(
    'DEFINE TABLE IF NOT EXISTS person; DEFINE TABLE IF NOT EXISTS knows TYPE RELATION; DEFINE TABLE IF NOT EXISTS team',
  )
  await db.create(team).content({ colour: 'blue' })
  await db.insert([
    { id: person(1), name: 'Ada', age: 36, tags: ['x', 'y'], team },
    { id: person(2), name: 'Bob', age: 41, tags: [], team },
    { id: person(3), name: 'Cleo', age: 27, tags: ['y'] },
  ])
}
