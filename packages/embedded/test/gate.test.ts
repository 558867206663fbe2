import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codec, RawClient, Uuid } from './raw-client.ts'
import { PASSWORD, startEmbedded, type TestServer, USER } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startEmbedded()
  await using root = await RawClient.root(server.port)
  await root.query('CREATE secret:1 SET value = 1; DEFINE TABLE knows TYPE RELATION')
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const DENIED = { error: { message: 'Anonymous access not allowed: Not enough permissions to perform this action' } }

/** Every method of the engine that reads or writes data, with params that it would carry out. */
const DATA_CALLS: readonly (readonly [string, readonly unknown[]])[] = [
  ['info', []],
  ['query', ['SELECT * FROM secret']],
  ['query', ['DEFINE USER intruder ON ROOT PASSWORD "x" ROLES OWNER']],
  ['select', ['secret']],
  ['create', ['secret', {}]],
  ['insert', ['secret', {}]],
  ['insert_relation', ['knows', {}]],
  ['upsert', ['secret', {}]],
  ['update', ['secret', {}]],
  ['merge', ['secret', {}]],
  ['patch', ['secret', []]],
  ['delete', ['secret']],
  ['relate', ['secret:1', 'knows', 'secret:1']],
  ['run', ['time::now', null, []]],
  ['live', ['secret']],
  ['kill', [new Uuid('11111111-1111-4111-8111-111111111111')]],
]

async function nothingHappened(): Promise<void> {
  await using root = await RawClient.root(server.port)
  expect(await root.query('SELECT * FROM secret; SELECT * FROM knows')).toEqual([[expect.anything()], []])
  const [info] = (await root.query('INFO FOR ROOT')) as [{ users: object; namespaces: object }]
  expect([Object.keys(info.users), Object.keys(info.namespaces)]).toEqual([[USER], ['main']])
}

describe('who has not signed in', () => {
  test.each(DATA_CALLS)('cannot call %s(%j)', async (method, params) => {
    await using client = await RawClient.connect(server.port)
    await client.result('use', ['main', 'main'])
    expect(await client.call(method, params)).toMatchObject(DENIED)
    await nothingHappened()
  })

  test('cannot make a namespace or database by choosing it', async () => {
    await using client = await RawClient.connect(server.port)
    await client.result('use', ['intruder', 'intruder'])
    await nothingHappened()
  })

  test('is who signed out, whose sign-in failed, and whose new session it is', async () => {
    await using client = await RawClient.root(server.port)
    await client.result('invalidate')
    expect(await client.call('query', ['RETURN 1'])).toMatchObject(DENIED)
    expect(await client.call('signin', [{ user: USER, pass: 'wrong' }])).toMatchObject({ error: {} })
    expect(await client.call('query', ['RETURN 1'])).toMatchObject(DENIED)
    await client.result('signin', [{ user: USER, pass: PASSWORD }])
    await client.result('reset')
    expect(await client.call('query', ['RETURN 1'])).toMatchObject(DENIED)
    await client.result('signin', [{ user: USER, pass: PASSWORD }])
    const session = new Uuid('22222222-2222-4222-8222-222222222222')
    await client.result('attach', [], { session })
    expect(await client.call('query', ['RETURN 1'], { session })).toMatchObject(DENIED)
  })

  test('gains nothing by fields that are given twice', async () => {
    await using client = await RawClient.connect(server.port)
    const pair = (key: string, value: unknown): Buffer => Buffer.concat([codec.encode(key), codec.encode(value)])
    const params = pair('params', ['SELECT * FROM secret'])
    for (const methods of [
      ['ping', 'query'],
      ['query', 'ping'],
    ]) {
      const [first, second] = methods as [string, string]
      client.send(Buffer.concat([Buffer.of(0xa3), pair('method', first), params, pair('method', second)]))
      expect(JSON.stringify(await client.next('an answer'))).not.toContain('secret:1')
    }
  })

  test('gains nothing by bytes after its params', async () => {
    await using client = await RawClient.connect(server.port)
    const pair = (key: string, value: unknown): Buffer => Buffer.concat([codec.encode(key), codec.encode(value)])
    const hidden = Buffer.concat([pair('method', 'query'), pair('params', ['SELECT * FROM secret'])])
    client.send(Buffer.concat([Buffer.of(0xa2), pair('method', 'ping'), pair('params', []), hidden]))
    expect(await client.next('an answer')).toEqual({ result: undefined })
  })

  test('who is signed in is not lent to others: neither by session, nor by transaction', async () => {
    await using root = await RawClient.root(server.port)
    await using other = await RawClient.connect(server.port)
    const [own] = (await root.query('RETURN $session.id')) as [Uuid]
    expect(await other.call('query', ['RETURN 1'], { session: own })).toMatchObject({ error: { kind: 'NotFound' } })
    const txn = await root.result('begin')
    await root.query('CREATE secret:2', {}, { txn })
    await other.result('signin', [{ user: USER, pass: PASSWORD }])
    await other.result('use', ['main', 'main'])
    for (const method of ['commit', 'cancel']) {
      expect(await other.call(method, [txn])).toMatchObject({ error: { message: 'Transaction not found' } })
    }
    expect(await other.call('query', ['RETURN 1'], { txn })).toMatchObject({ error: {} })
    await root.result('cancel', [txn])
    await nothingHappened()
  })

  test('the same name for a session on two connections means two sessions', async () => {
    await using root = await RawClient.root(server.port)
    await using other = await RawClient.connect(server.port)
    const session = new Uuid('33333333-3333-4333-8333-333333333333')
    await root.result('attach', [], { session })
    await root.result('signin', [{ user: USER, pass: PASSWORD }], { session })
    await other.result('attach', [], { session })
    expect(await other.call('query', ['RETURN 1'], { session })).toMatchObject(DENIED)
    await other.result('detach', [], { session })
    expect(await root.query('RETURN 1', {}, { session })).toEqual([1])
  })
})

test('a user of one database cannot choose another, and makes none by trying', async () => {
  await using root = await RawClient.root(server.port)
  await root.query('DEFINE USER OVERWRITE clerk ON DATABASE PASSWORD "p" ROLES VIEWER')
  await using clerk = await RawClient.connect(server.port)
  await clerk.result('signin', [{ ns: 'main', db: 'main', user: 'clerk', pass: 'p' }])
  expect(await clerk.call('use', ['other', 'other'])).toMatchObject({ error: { kind: 'NotAllowed' } })
  expect(await clerk.call('use', ['main', 'other'])).toMatchObject({ error: { kind: 'NotAllowed' } })
  expect(await clerk.query('RETURN [$session.ns, $session.db]')).toEqual([['main', 'main']])
  await nothingHappened()
})
