import { createServer } from 'node:net'
import { identify } from '@procref/core'
import {
  atEnd,
  eventually,
  freeze,
  startChild,
  surrealBinary as surrealInTests,
  tcpListenersOf,
  within,
} from '@procref/testing'
import { Surreal, Table } from 'surrealdb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { surrealBinary } from '../../dist/drivers/surreal-binary.js'
import { proveListener } from '../../dist/identity/listener.js'
import { type ConnectionOptions, openConnection, type SurrealConnection } from '../../dist/surreal/connection.js'
import { hostOf, startServer } from '../drivers/driver-suite.ts'

const path = surrealInTests()

type Server = Awaited<ReturnType<typeof startServer>>

const driver = (storage: 'memory' | 'rocksdb' = 'memory'): ReturnType<typeof surrealBinary> =>
  surrealBinary({ path: path ?? '', storage })

const urlOf = ({ port }: { readonly port: number }): string => `ws://127.0.0.1:${port}/rpc`

async function open(server: Server, options: Partial<ConnectionOptions> = {}): Promise<SurrealConnection> {
  const connection = await openConnection({
    url: urlOf(server),
    namespace: 'main',
    database: 'main',
    credentials: () => ({ user: server.user, password: server.password }),
    prove: () => {},
    signal: AbortSignal.timeout(60_000),
    ...options,
  })
  onTestFinished(() => connection.close())
  return connection
}

/** Another life of the server, on the same data and port. */
async function startAgain(before: Server): Promise<void> {
  await before.gone()
  const host = await hostOf(driver('rocksdb'), before)
  await host.start()
}

describe.runIf(path !== undefined)('a connection to SurrealDB', () => {
  test('is the official SDK’s object: connected, signed in, on its namespace and database', async () => {
    const { db } = await open(await startServer(driver()))
    expect(db).toBeInstanceOf(Surreal)
    expect([db.status, db.namespace, db.database]).toEqual(['connected', 'main', 'main'])
    expect(await db.query('CREATE ONLY one:1 SET n = 1 RETURN VALUE n')).toEqual([1])
    expect(await db.query('INFO FOR ROOT')).toMatchObject([{ users: expect.anything() }])
  })

  test('a namespace and database that are missing are made, whatever their names, by all their first clients at once', async () => {
    const server = await startServer(driver())
    const names = { namespace: 'a `name` \\ of "mine"', database: 'daten-bank' }
    const all = await Promise.all(Array.from({ length: 12 }, () => open(server, names)))
    for (const { db } of all) {
      expect([db.namespace, db.database]).toEqual([names.namespace, names.database])
      await db.query('CREATE row')
    }
    expect(await all[0]?.db.query('SELECT count() FROM row GROUP ALL')).toEqual([[{ count: all.length }]])
  })

  test('export and import go to the proven server, over a connection that is proven twice as well', async () => {
    const proofs: unknown[] = []
    const server = await startServer(driver())
    const { db } = await open(server, { prove: (dialled) => proofs.push(dialled) })
    const count = async (): Promise<unknown> => await db.query('SELECT VALUE n FROM one')
    await db.query('CREATE one:1 SET n = 1')
    proofs.length = 0
    const dump = await db.export()
    await db.query('REMOVE TABLE one')
    await db.import(dump)
    expect(await count()).toEqual([[1]])
    await db.query('REMOVE TABLE one')
    await db.import(new Blob([dump]).stream())
    expect(await count()).toEqual([[1]])
    await expect(db.import('NONSENSE')).rejects.toThrow('HTTP connection failed')
    expect(proofs).toEqual(Array(8).fill({ host: '127.0.0.1', port: server.port }))
  })

  test('live queries that many clients begin at once on one table are all begun', async () => {
    const server = await startServer(driver('rocksdb'))
    const all = await Promise.all(Array.from({ length: 12 }, () => open(server)))
    // They get in each other's way now and then; ten times is enough for that.
    for (let table = 0; table < 10; table++) {
      await all[0]?.db.query(`DEFINE TABLE thing${table}`)
      await Promise.all(all.map(({ db }) => db.live(new Table(`thing${table}`))))
    }
  })

  test('a wrong password is refused at once', async () => {
    const server = await startServer(driver())
    const credentials = (): { user: string; password: string } => ({ user: server.user, password: 'wrong' })
    await expect(open(server, { credentials })).rejects.toThrow(/authentication|password/i)
  })

  test('outlives the server: session, variables, live queries and the call in flight are there on the next one', async () => {
    const server = await startServer(driver('rocksdb'))
    const connection = await open(server)
    const { db } = connection
    await db.set('greeting', 'hello')
    await db.query('DEFINE TABLE thing')
    const live = await db.live(new Table('thing'))
    const seen = (async () => {
      for await (const message of live) return message.value
      return undefined
    })()
    const inFlight = db.query('SLEEP 2s; RETURN $greeting')
    inFlight.then(
      () => {},
      () => {},
    )
    process.kill(server.pid, 'SIGKILL')
    await startAgain(server)
    connection.redial(urlOf(server))
    expect(await inFlight).toEqual([undefined, 'hello'])
    // The live query is restored after the connection is, and tells of what is written from then on.
    let told: unknown
    seen.then((value) => {
      told = value
    })
    await eventually('the live query’s message', async () => {
      await db.query('CREATE thing SET n = 1')
      return told !== undefined
    })
    expect(told).toMatchObject({ n: 1 })
    await live.kill()
  })

  test('the real server is proven at each connection, and who took its port meanwhile is not', async () => {
    const server = await startServer(driver())
    const identity = identify(server.pid) ?? expect.unreachable()
    const proofs: string[] = []
    const prove = (): void => {
      const proof = proveListener({ port: server.port, server: identity })
      proofs.push(proof)
      if (proof !== 'proven') throw new Error(`it is ${proof}`)
    }
    const connection = await open(server, { prove })
    expect(proofs).toEqual(['proven', 'proven'])
    const dropped: string[] = []
    const stranger = createServer()
    onTestFinished(() => void stranger.close())
    const refused = new Promise<void>((resolve) => {
      connection.onDropped(({ message }) => {
        dropped.push(message)
        if (message === 'it is stranger') resolve()
      })
    })
    await server.gone()
    await new Promise<void>((resolve) => stranger.listen(server.port, '127.0.0.1', resolve))
    await within('the refusal of the stranger', refused)
  })

  test('close() does not wait for a server that is stopped', async () => {
    const server = await startServer(driver())
    const connection = await open(server)
    await freeze(server.pid)
    onTestFinished(() => void process.kill(server.pid, 'SIGCONT'))
    // ws itself waits 30 s for the other side.
    await within('close()', connection.close(), 15_000)
  })

  test('the time to open one is bound: a stopped server is the signal’s reason', async () => {
    const server = await startServer(driver())
    await freeze(server.pid)
    onTestFinished(() => void process.kill(server.pid, 'SIGCONT'))
    await expect(open(server, { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test.each([
    ['after close()', {}],
    ['after close() while the server is away', { lost: true }],
  ])('nothing keeps the program alive %s', async (_when, how) => {
    const server = await startServer(driver())
    const { user, password, pid } = server
    const program = new URL('../children/connected-program.mjs', import.meta.url)
    const setup = { url: urlOf(server), user, password, pid, ...how }
    const child = atEnd(startChild(program, { args: [JSON.stringify(setup)] }))
    const { kept } = await child.event<{ kept: readonly string[] }>('closed')
    expect(kept).toEqual([])
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  test('100 connections that were closed leave no socket at the server', async () => {
    const server = await startServer(driver())
    for (let round = 0; round < 10; round++) {
      const all = await Promise.all(Array.from({ length: 10 }, () => open(server)))
      await Promise.all(all.map((connection) => connection.close()))
    }
    expect(tcpListenersOf(server.pid)).toHaveLength(1)
    expect(await server.end()).toMatchObject({ code: 0 })
  })
})

test('the SDK is loaded by who connects, not by who imports the package', async () => {
  const program = new URL('../children/imports.mjs', import.meta.url)
  const load = async (module: string): Promise<string> => {
    const url = new URL(`../../dist/${module}`, import.meta.url).href
    const child = atEnd(startChild(program, { args: [url] }))
    await child.event('imported')
    return child.stdout()
  }
  expect(await load('index.js')).not.toContain('loaded')
  expect(await load('guardian/guardian.js')).not.toContain('loaded')
  expect(await load('surreal/engine.js')).toContain('loaded surrealdb')
})
