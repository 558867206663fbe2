import { Table } from 'surrealdb'
import { attempt, attempts, type Cases, overWs } from '../sdk.ts'
import { everyCall } from './every-call.ts'
import { insertPeople, PERSON, person } from './people.ts'

export const TRANSACTIONS: Cases = overWs(({ db }) => db.beginTransaction(), {
  'transaction: every call, committed': async ({ db, protocol }) => {
    await db.query('DEFINE TABLE person; DEFINE TABLE knows TYPE RELATION; DEFINE TABLE team')
    const transaction = await db.beginTransaction()
    const inside = await everyCall(transaction, protocol)
    const before = await db.select(PERSON)
    return [inside, before, await attempt(() => transaction.commit()), await db.select(PERSON)]
  },
  'transaction: every call, cancelled': async ({ db, protocol }) => {
    await db.query('DEFINE TABLE person; DEFINE TABLE knows TYPE RELATION; DEFINE TABLE team')
    const transaction = await db.beginTransaction()
    const inside = await everyCall(transaction, protocol)
    return [inside, await attempt(() => transaction.cancel()), await db.select(PERSON)]
  },
  'transaction: sees who began it': async ({ db, database }) => {
    await db.set('kept', 7)
    const transaction = await db.beginTransaction()
    const answer = await transaction.query('RETURN [$kept, $auth, $session.db = $db, type::of($token), $access]', {
      db: database,
    })
    await transaction.cancel()
    return answer
  },
  'transaction: after its end': async ({ db }) => {
    const committed = await db.beginTransaction()
    await committed.query('CREATE t:1')
    await committed.commit()
    const cancelled = await db.beginTransaction()
    await cancelled.cancel()
    return await attempts(
      () => committed.query('RETURN 1'),
      () => committed.commit(),
      () => committed.cancel(),
      () => cancelled.query('RETURN 1'),
      () => cancelled.commit(),
      () => cancelled.cancel(),
    )
  },
  'transaction: an error in it': async ({ db }) => {
    const transaction = await db.beginTransaction()
    const answers = await attempts(
      () => transaction.query('CREATE t:1'),
      () => transaction.query('THROW "no"'),
      () => transaction.query('CREATE t:2'),
      () => transaction.query('RETRN'),
      () => transaction.create(person(1)),
      () => transaction.create(person(1)),
      () => transaction.commit(),
    )
    return [answers, await attempt(() => db.query('SELECT * FROM t, person'))]
  },
  'transaction: empty': async ({ db }) => {
    const one = await db.beginTransaction()
    const two = await db.beginTransaction()
    return await attempts(
      () => one.commit(),
      () => two.cancel(),
    )
  },
  'transaction: statements of transactions in one': async ({ db }) => {
    const transaction = await db.beginTransaction()
    const answers = await attempts(
      () => transaction.query('BEGIN; CREATE t:1; COMMIT'),
      () => transaction.query('CREATE t:2; CANCEL'),
      () => transaction.query('USE NS x DB y; RETURN 1'),
      () => transaction.query('LET $x = 1'),
      () => transaction.query('RETURN $x'),
      () => transaction.commit(),
    )
    return [answers, await attempt(() => db.query('SELECT * FROM t'))]
  },
  'transaction: two change the same record': async ({ db }) => {
    await insertPeople(db)
    const one = await db.beginTransaction()
    const two = await db.beginTransaction()
    await one.update(person(1)).merge({ by: 'one' })
    await two.update(person(1)).merge({ by: 'two' })
    return [
      await attempt(() => one.commit()),
      await attempt(() => two.commit()),
      await db.select(person(1)).value('by'),
    ]
  },
  'transaction: in a session': async ({ db }) => {
    const session = await db.forkSession()
    await session.query('DEFINE TABLE t')
    const transaction = await session.beginTransaction()
    await transaction.query('CREATE t:1')
    const outside = await db.query('SELECT * FROM t')
    await transaction.commit()
    return [outside, await db.query('SELECT * FROM t')]
  },
  'transaction: its session ends first': async ({ db }) => {
    const session = await db.forkSession()
    await session.query('DEFINE TABLE t')
    const transaction = await session.beginTransaction()
    await transaction.query('CREATE t:1')
    await session.closeSession()
    return [await attempt(() => transaction.commit()), await db.select(new Table('t'))]
  },
})

export const RETRY: Cases = {
  'retry: statements that conflict succeed in the end': async ({ db, connect }) => {
    await db.query('CREATE counter:1 SET n = 0')
    const retry = {
      enabled: true,
      attempts: -1,
      retryDelay: 1,
      retryDelayMax: 5,
      retryDelayMultiplier: 1,
      retryDelayJitter: 1,
    }
    const others = await Promise.all([connect(), connect(), connect()])
    await Promise.all(
      others.map(async (other) => {
        for (let round = 0; round < 10; round++) {
          await other.query('UPDATE counter:1 SET n += 1').retry(retry)
        }
      }),
    )
    // How far it has counted is not asked: storages lose updates (README, what the engine still does to you).
    return 'all of them'
  },
}
