import { eventually } from '@procref/testing'
import {
  eq,
  gt,
  type LiveMessage,
  type LiveSubscription,
  RecordId,
  type SurrealQueryable,
  Table,
  type Uuid,
} from 'surrealdb'
import { attempt, attempts, type Cases } from '../sdk.ts'

const T = new Table('t')
const record = (id: number): RecordId => new RecordId('t', id)

/** Each changes one record. */
const CHANGES: readonly ((db: SurrealQueryable) => PromiseLike<unknown>)[] = [
  (db) => db.create(record(1)).content({ n: 1, name: 'a' }),
  (db) => db.update(record(1)).merge({ n: 2 }),
  (db) => db.update(record(1)).content({ n: 3, link: new RecordId('other', 1) }),
  (db) => db.create(record(2)).content({ n: 10 }),
  (db) => db.delete(record(1)),
  (db) => db.query('DELETE t:2'),
]

const ALL: readonly number[] = [1, 2, 3, 4, 5, 6]

/**
 * What a subscription is told of the changes, `counts` messages after each. One change after the other: of two messages that
 * it reads at once, the SDK (2.0.8) loses one, and two servers tell two changes in the order of their own threads.
 */
async function heard(
  live: LiveSubscription,
  db: SurrealQueryable,
  counts: readonly number[] = ALL,
): Promise<readonly unknown[]> {
  const messages: LiveMessage[] = []
  live.subscribe((message) => messages.push(message))
  for (const [step, change] of CHANGES.entries()) {
    await change(db)
    await eventually(`change ${step} was told`, async () => messages.length >= (counts[step] ?? 0))
  }
  return messages.map(({ queryId: _, ...message }) => message)
}

export const LIVE: Cases = {
  'live: create, update, delete': async ({ db, connect }) => {
    await db.query('DEFINE TABLE t; CREATE other:1')
    const writer = await connect()
    const live = await attempt(() => db.live(T))
    if (live instanceof Error) return live
    return await heard(live as LiveSubscription, writer)
  },
  'live: own changes are told too': async ({ db }) => {
    await db.query('DEFINE TABLE t; CREATE other:1')
    const live = await attempt(() => db.live(T))
    return live instanceof Error ? live : await heard(live as LiveSubscription, db)
  },
  'live: diff': async ({ db }) => {
    await db.query('DEFINE TABLE t; CREATE other:1')
    const live = await attempt(() => db.live(T).diff())
    return live instanceof Error ? live : await heard(live as LiveSubscription, db)
  },
  'live: fields, value, where, fetch': async ({ db, protocol }) => {
    await db.query('DEFINE TABLE t; CREATE other:1 SET a = 1')
    if (protocol === 'http')
      return await attempts(
        () => db.live(T).fields('n'),
        () => db.live(T).value('n').where(gt('n', 1)).fetch('link'),
      )
    const all: unknown[] = []
    const ways = [
      [ALL, db.live<{ n: number }>(T).fields('n')],
      [[0, 0, 0, 1, 1, 2], db.live(T).where(gt('n', 9))],
      [[0, 0, 0, 1, 1, 2], db.live(T).where(eq('n', 10))],
      [ALL, db.live(T).fetch('link')],
    ] as const
    for (const [counts, live] of ways) {
      all.push(await heard(await live, db, counts))
      await (await live).kill()
      await db.query('DELETE t')
    }
    return all
  },
  'live: value, made and killed': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t; CREATE other:1')
    const live = await db.live<{ n: number }>(T).value('n')
    await live.kill()
    return [live.isAlive, db.live<{ n: number }>(T).value('n').compile().query]
  },
  'live: what a subscription says of itself; kill': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t')
    const live = await db.live(T)
    const { id, isManaged, resource, isAlive } = live
    await (live as unknown as { ready(): Promise<void> }).ready()
    const info = await db.query('INFO FOR TABLE t')
    await live.kill()
    return [
      id,
      isManaged,
      resource,
      isAlive,
      JSON.stringify(info).includes(`${id}`),
      live.isAlive,
      ...(await attempts(
        () => live.kill(),
        () => db.query('KILL $id', { id }),
        () => db.query('INFO FOR TABLE t'),
      )),
      db.live(T).where(gt('n', 1)).compile().query,
    ]
  },
  'live: read as a stream': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t')
    const live = await db.live(T)
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const { action, recordId } of live) {
        seen.push([action, recordId])
        if (action === 'DELETE') break
      }
    })()
    await db.query('CREATE t:1')
    await eventually('it was told', async () => seen.length > 0)
    await db.query('DELETE t:1')
    await reading
    return seen
  },
  'live: one that was made by a statement': async ({ db, protocol }) => {
    if (protocol === 'http') return await db.query('DEFINE TABLE t; LIVE SELECT * FROM t').responses()
    const [, id] = await db.query<[undefined, Uuid]>('DEFINE TABLE t; LIVE SELECT * FROM t')
    const live = await db.liveOf(id)
    const told = await heard(live, db)
    const { isManaged, resource, isAlive } = live
    const same = live.id.equals(id)
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const { action } of live) {
        seen.push(action)
        break
      }
    })()
    await db.query('CREATE t:5')
    await reading
    await live.kill()
    return [told, isManaged, resource, isAlive, same, seen, live.isAlive]
  },
  'live: refused ones': async ({ db }) =>
    await attempts(
      () => db.live(new Table('unmade')),
      () => db.query('LIVE SELECT * FROM unmade'),
      () => db.query('KILL u"44444444-4444-4444-8444-444444444444"'),
      () => db.query('KILL "x"'),
      () => db.query('LIVE SELECT * FROM 1'),
    ),
  'live: killed when its table is removed': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t')
    const live = await db.live(T)
    const seen: string[] = []
    live.subscribe(({ action }) => seen.push(action))
    await db.query('CREATE t:1')
    // Before the next one: of two messages that it reads at once the SDK loses one.
    await eventually('the first change was told', async () => seen.length > 0)
    await db.query('REMOVE TABLE t')
    await eventually('the end was told', async () => seen.includes('KILLED'))
    return [seen, live.isAlive]
  },
  'live: only what a record user may see': async ({ db, driver, url, namespace, database, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query(`DEFINE TABLE t PERMISSIONS FOR select WHERE n > 5;
      DEFINE ACCESS who ON DATABASE TYPE RECORD SIGNUP (CREATE who); DEFINE TABLE who`)
    const other = driver()
    await other.connect(url, { namespace, database })
    await other.signup({ namespace, database, access: 'who', variables: {} })
    return await heard(await other.live(T), db, [0, 0, 0, 1, 1, 2])
  },
  'live: in sessions, each is told of its own': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t; DEFINE TABLE u')
    const one = await db.forkSession()
    const two = await db.forkSession()
    const first = await one.live(T)
    const second = await two.live(new Table('u'))
    const seen: unknown[] = []
    second.subscribe(({ action }) => seen.push(action))
    const told = await heard(first, db)
    await db.query('CREATE u:1')
    await eventually('the second is told', async () => seen.length === 1)
    await one.closeSession()
    await db.query('CREATE u:2')
    await eventually('the second is told still', async () => seen.length === 2)
    return [told, seen]
  },
  'live: an unsubscribed handler hears nothing': async ({ db, protocol }) => {
    if (protocol === 'http') return 'no live queries'
    await db.query('DEFINE TABLE t')
    const live = await db.live(T)
    const unwanted: unknown[] = []
    live.subscribe((message) => unwanted.push(message))()
    return [await heard(live, db), unwanted]
  },
}
