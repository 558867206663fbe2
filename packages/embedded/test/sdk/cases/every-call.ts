import { eq, RecordId, type SurrealQueryable, Table, Uuid } from 'surrealdb'
import { attempt, attempts, type Protocol } from '../sdk.ts'
import { insertPeople, KNOWS, PERSON, person } from './people.ts'

/** Each call that the first session, a session of one's own and a transaction have in common. */
export async function everyCall(db: SurrealQueryable, protocol: Protocol): Promise<unknown> {
  await insertPeople(db)
  const answers = await attempts(
    () => db.query('RETURN $a', { a: 1 }),
    () => db.auth(),
    () => db.select(PERSON),
    () => db.create(person(4)).content({ name: 'Dan' }),
    () => db.insert(PERSON, { id: 5, name: 'Eve' }),
    () => db.update(person(1)).merge({ seen: true }),
    () =>
      db
        .update(PERSON)
        .patch([{ op: 'add', path: '/patched', value: 1 }])
        .where(eq('name', 'Bob')),
    () => db.upsert(person(6)).content({ name: 'Fay' }),
    () => db.relate(person(1), new RecordId('knows', 1), person(2)),
    () => db.insert(KNOWS, { id: 2, in: person(2), out: person(3) }).relation(),
    () => db.delete(person(3)),
    () => db.run('math::abs', [-1]),
    () => db.api().get('/unmade'),
    () => db.select(PERSON),
    () => db.query('SELECT * FROM knows'),
  )
  const live = await attempt(async () => {
    const subscription = await db.live(new Table('watched'))
    await subscription.kill()
    return subscription.isAlive
  })
  const of = await attempt(async () => (await db.liveOf(new Uuid('44444444-4444-4444-8444-444444444444'))).isManaged)
  return [protocol, answers, live, of]
}
