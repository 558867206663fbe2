import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { embeddedSurreal } from '@procref/embedded'
import { atEnd, freePort, freshDir, isLoopback, tcpListenersOf, within } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { httpCall } from './http-request.ts'
import { RawClient } from './raw-client.ts'
import { launchEmbedded, startEmbedded } from './server.ts'

test('the driver says what it is without loading the engine', async () => {
  const driver = embeddedSurreal({ storage: 'surrealkv' })
  await driver.check?.()
  expect(driver).toMatchObject({
    name: 'embedded-surreal',
    placement: 'guardian',
    durable: true,
    settings: { storage: 'surrealkv' },
  })
  expect(await driver.engine?.()).toEqual({ engine: 'surrealdb', version: '3.0.2', storage: 'surrealkv' })
  expect(embeddedSurreal({ storage: 'memory' }).durable).toBe(false)
  const rebuilt = await import(driver.descriptor.module)
  expect(rebuilt[driver.descriptor.factory](driver.descriptor.options).settings).toEqual(driver.settings)
})

test('a port that is taken is a typed error, and no data are made', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = taken.address() as AddressInfo
  onTestFinished(() => new Promise<void>((resolve) => void taken.close(() => resolve())))
  const databaseDir = `${freshDir()}/db`
  const child = atEnd(launchEmbedded({ storage: 'rocksdb', databaseDir, port }))
  await expect(child.event('ready')).rejects.toThrow(/PROCREF_PORT_TAKEN/)
  expect(readdirSync(databaseDir)).toEqual([])
})

test('it listens on loopback only, and answers 503 until it is ready', async () => {
  const port = await freePort()
  const child = atEnd(launchEmbedded({ storage: 'rocksdb', databaseDir: `${freshDir()}/db`, port }))
  await child.event('launched')
  const early = await httpCall(port, { path: '/ready' })
  await child.event('ready')
  expect([200, 503]).toContain(early.status)
  expect((await httpCall(port, { path: '/ready' })).status).toBe(200)
  const listeners = tcpListenersOf(child.pid)
  expect(listeners.map((listener) => [listener.port, isLoopback(listener)])).toEqual([[port, true]])
})

test('once it is ready, the default namespace and database are there', async () => {
  const server = atEnd(await startEmbedded())
  await using client = await RawClient.root(server.port)
  const [root, , namespace] = await client.query('INFO FOR ROOT; USE NS main; INFO FOR NS')
  expect(root).toMatchObject({
    namespaces: { main: expect.anything() },
    defaults: { namespace: 'main', database: 'main' },
  })
  expect(namespace).toMatchObject({ databases: { main: expect.anything() } })
})

test('a user and a password of any characters can sign in, and are never taken for SurrealQL', async () => {
  for (const [user, password] of [
    ["o'brien", "pa'ss"],
    ['`x`; REMOVE NAMESPACE main; --', "'; REMOVE NAMESPACE main; --"],
    ['ü⟩⟨', 'back\\slash\\'],
    ['"', '\\\'" \n\t$user'],
  ] as const) {
    const server = atEnd(await startEmbedded({ user, password }))
    await using client = await RawClient.connect(server.port)
    await client.result('signin', [{ user, pass: password }])
    const [info] = (await client.query('INFO FOR ROOT')) as [{ users: object; namespaces: object }]
    expect([Object.keys(info.users).length, Object.keys(info.namespaces)]).toEqual([1, ['main']])
  }
})

test.each(['rocksdb', 'surrealkv'] as const)(
  '%s data open again with the same password, and with no other',
  async (storage) => {
    const databaseDir = `${freshDir()}/db`
    {
      await using server = await startEmbedded({ storage, databaseDir })
      await using client = await RawClient.root(server.port)
      await client.query('CREATE kept:1')
      await client[Symbol.asyncDispose]()
      server.child.send('terminate')
      expect(await server.child.event('ended')).toMatchObject({ code: 0, signal: null })
    }
    const wrong = atEnd(launchEmbedded({ storage, databaseDir, password: 'other' }))
    await expect(wrong.event('ready')).rejects.toThrow(/PROCREF_CREDENTIALS_REFUSED/)
    await wrong[Symbol.asyncDispose]()
    await using again = await startEmbedded({ storage, databaseDir })
    await using client = await RawClient.root(again.port)
    expect(await client.query('SELECT * FROM kept')).toEqual([[expect.anything()]])
  },
)

test('a database that another process has open is a typed error, and that one goes on', async () => {
  const databaseDir = `${freshDir()}/db`
  await using server = await startEmbedded({ storage: 'rocksdb', databaseDir })
  const second = atEnd(launchEmbedded({ storage: 'rocksdb', databaseDir }))
  await expect(second.event('ready')).rejects.toThrow(/PROCREF_DATABASE_LOCKED/)
  await using client = await RawClient.root(server.port)
  expect(await client.query('RETURN 1')).toEqual([1])
})

test('the engine is not opened a second time in one process', async () => {
  const server = atEnd(await startEmbedded())
  server.child.send('terminate')
  await server.child.event('ended')
  server.child.send('relaunch')
  expect(await server.child.event('relaunched')).toMatchObject({ error: 'PROCREF_ENGINE_SPENT' })
})

test('a stop answers what is in flight, disconnects with 1001, and refuses new clients', async () => {
  const server = atEnd(await startEmbedded())
  await using busy = await RawClient.root(server.port)
  await using idle = await RawClient.connect(server.port)
  const slow = busy.query('RETURN sleep(500ms); RETURN "done"')
  // The query goes another way than the word: once this was answered, it is there.
  await busy.result('ping')
  server.child.send('terminate')
  expect(await slow).toEqual([undefined, 'done'])
  expect(await within('the end', idle.closed)).toMatchObject({ code: 1001 })
  expect(await within('the end', busy.closed)).toMatchObject({ code: 1001 })
  expect(await server.child.event('ended')).toEqual({ event: 'ended', code: 0, signal: null })
  await expect(RawClient.connect(server.port)).rejects.toThrow(/ECONNREFUSED/)
})

test('a second call to stop does not wait for a query that takes long', async () => {
  const server = atEnd(await startEmbedded())
  await using busy = await RawClient.root(server.port)
  const endless = busy.query('RETURN sleep(1h)').catch(String)
  await busy.result('ping')
  server.child.send('terminate')
  server.child.send('terminate')
  expect(await server.child.event('ended')).toMatchObject({ code: 0 })
  expect(await endless).toMatch(/disconnected/)
})

test('without a second call it waits some seconds only, also for a client that does not answer', async () => {
  const server = atEnd(await startEmbedded())
  await using deaf = await RawClient.root(server.port)
  deaf.socket.pause()
  server.child.send('terminate')
  expect(await server.child.event('ended')).toMatchObject({ code: 0 })
})
