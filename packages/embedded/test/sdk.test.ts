import { atEnd, eventually, startChild, within } from '@procref/testing'
import { RecordId, Surreal, Table } from 'surrealdb'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { PASSWORD, startEmbedded, type TestServer, USER } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startEmbedded()
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

async function connect(protocol: 'ws' | 'http', password: string = PASSWORD): Promise<Surreal> {
  const db = new Surreal({ websocketImpl: WebSocket as unknown as typeof globalThis.WebSocket })
  onTestFinished(async () => {
    await db.close()
  })
  const connected = db.connect(`${protocol}://127.0.0.1:${server.port}/rpc`, {
    namespace: 'main',
    database: 'main',
    authentication: () => ({ username: USER, password }),
    reconnect: false,
  })
  await within(`connect() over ${protocol}`, connected)
  return db
}

describe.each(['ws', 'http'] as const)('the official SDK, unmodified, over %s', (protocol) => {
  test('creates, reads, changes and deletes records', async () => {
    const db = await connect(protocol)
    const person = new RecordId('person', protocol)
    await db.create(person).content({ name: 'Ada', age: 36n })
    expect(await db.select(person)).toMatchObject({ name: 'Ada' })
    await db.update(person).merge({ age: 37 })
    expect(await db.query('SELECT VALUE age FROM ONLY $person', { person })).toEqual([37])
    expect(await db.select(new Table('person'))).toHaveLength(1)
    await db.delete(person)
    expect(await db.select(person)).toBeUndefined()
  })

  test('is told when its password is wrong, and nobody else is disturbed', async () => {
    const good = await connect(protocol)
    await expect(connect(protocol, 'wrong')).rejects.toThrow(/authentication/)
    expect(await good.query('RETURN 1')).toEqual([1])
  })

  test('gets a typed error for a wrong statement', async () => {
    const db = await connect(protocol)
    await expect(db.query('SELEC * FROM x')).rejects.toThrow(/Parse error/)
    await expect(db.query('THROW "no"')).rejects.toThrow(/no/)
  })

  test('signs up and works as a record user, with no more than its permissions', async () => {
    const root = await connect(protocol)
    await root.query(`
      DEFINE TABLE OVERWRITE account PERMISSIONS FOR select WHERE id = $auth.id;
      DEFINE TABLE OVERWRITE secret PERMISSIONS NONE;
      DEFINE ACCESS OVERWRITE account ON DATABASE TYPE RECORD
        SIGNUP (CREATE account SET name = $name) SIGNIN (SELECT * FROM account WHERE name = $name);
      CREATE secret SET value = 1;`)
    const db = new Surreal({ websocketImpl: WebSocket as unknown as typeof globalThis.WebSocket })
    onTestFinished(async () => void (await db.close()))
    await db.connect(`${protocol}://127.0.0.1:${server.port}/rpc`, { reconnect: false })
    await db.signup({ namespace: 'main', database: 'main', access: 'account', variables: { name: `me-${protocol}` } })
    expect(await db.query('SELECT VALUE name FROM account')).toEqual([[`me-${protocol}`]])
    expect(await db.query('SELECT * FROM secret')).toEqual([[]])
    await expect(db.query('DEFINE USER intruder ON ROOT PASSWORD "x"')).rejects.toThrow(/permission/)
  })
})

test('a live query sees what another process creates, changes and deletes, until it is killed', async () => {
  const db = await connect('ws')
  const watcher = atEnd(startChild(new URL('./children/sdk-client.mjs', import.meta.url), { args: [`${server.port}`] }))
  await watcher.event('watching')
  await db.query('CREATE watched:1 SET a = 1')
  expect(await watcher.event('change')).toMatchObject({ action: 'CREATE', recordId: 'watched:1', value: { a: 1 } })
  await db.query('UPDATE watched:1 SET a = 2')
  expect(await watcher.event('change')).toMatchObject({ action: 'UPDATE', recordId: 'watched:1', value: { a: 2 } })
  await db.query('DELETE watched:1')
  expect(await watcher.event('change')).toMatchObject({ action: 'DELETE', recordId: 'watched:1' })
  watcher.send('kill')
  await watcher.event('killed')
  expect(await livesOf(db, 'watched')).toEqual([])
})

test("a live query ends when its owner's process is killed", async () => {
  const db = await connect('ws')
  const args = [`${server.port}`, 'abandoned']
  const watcher = atEnd(startChild(new URL('./children/sdk-client.mjs', import.meta.url), { args }))
  await watcher.event('watching')
  expect(await livesOf(db, 'abandoned')).toHaveLength(1)
  watcher.kill('SIGKILL')
  await watcher.exited
  await eventually('the live query is gone', async () => (await livesOf(db, 'abandoned')).length === 0)
  await db.query('CREATE abandoned')
})

test('sessions of one connection have their own user, database and variables', async () => {
  const db = await connect('ws')
  const other = await db.newSession()
  await expect(other.query('RETURN 1')).rejects.toThrow(/Anonymous access not allowed/)
  await other.signin({ username: USER, password: PASSWORD })
  await other.use({ namespace: 'main', database: 'second' })
  await db.set('name', 'first')
  await other.set('name', 'second')
  const who = 'RETURN [$session.db, $name]'
  expect(await db.query(who)).toEqual([['main', 'first']])
  expect(await other.query(who)).toEqual([['second', 'second']])
  await other.closeSession()
  expect(await db.query(who)).toEqual([['main', 'first']])
})

test('a transaction is seen by others once it is committed, and never if it is cancelled', async () => {
  const db = await connect('ws')
  const other = await connect('ws')
  await db.query('DEFINE TABLE IF NOT EXISTS entry')
  const count = async (): Promise<unknown> => (await other.query('SELECT VALUE id FROM entry'))[0]
  const kept = await db.beginTransaction()
  await kept.query('CREATE entry:kept')
  expect(await count()).toEqual([])
  await kept.commit()
  expect(await count()).toEqual([new RecordId('entry', 'kept')])
  const dropped = await db.beginTransaction()
  await dropped.query('CREATE entry:dropped')
  await dropped.cancel()
  expect(await count()).toEqual([new RecordId('entry', 'kept')])
})

async function livesOf(db: Surreal, table: string): Promise<readonly string[]> {
  const [info] = await db.query<[{ lives: object }]>(`INFO FOR TABLE ${table}`)
  return Object.keys(info.lives)
}
