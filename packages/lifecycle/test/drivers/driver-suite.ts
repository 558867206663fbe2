import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import {
  atEnd,
  type Child,
  commandLine,
  eventually,
  freePort,
  freshDir,
  HANGS_MS,
  isAlive,
  isLoopback,
  startChild,
  tcpListenersOf,
  whoListensOn,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerDriver } from '../../dist/driver.js'
import type { SurrealCapabilities, SurrealOptions } from '../../dist/drivers/surreal-options.js'
import { ask, type HttpAnswer } from '../../dist/wait/http.js'

export interface DriverUnderTest {
  make(
    options: Pick<SurrealOptions, 'storage' | 'sync'> & {
      capabilities?: Pick<SurrealCapabilities, 'network' | 'experimental'>
    },
  ): ServerDriver
}

/**
 * What every driver of SurrealDB has to do, on a real server, in a process of its own that stands for the guardian: the
 * one list for all of them.
 */
export function driverTests(name: string, { make }: DriverUnderTest): void {
  describe(`${name}: a SurrealDB driver`, () => {
    const durable = ['rocksdb', 'surrealkv'] as const

    test('is ready once an authenticated query works, on the default namespace and database', async () => {
      const server = await startServer(make({ storage: 'memory' }))
      expect(await server.sql('USE NS main DB main; CREATE ONLY one:1 SET n = 1;')).toMatchObject([
        { status: 'OK' },
        { status: 'OK', result: { n: 1 } },
      ])
    })

    test('says which version serves', async () => {
      const host = await hostOf(make({ storage: 'memory' }))
      const engine = await host.ask<{ version: string }>('check')
      expect(engine).toMatchObject({ engine: 'surrealdb', storage: 'memory' })
      expect(await host.start()).toMatchObject({ version: engine.version })
    })

    test('refuses guests and a wrong password', async () => {
      const server = await startServer(make({ storage: 'memory' }))
      const statusFor = async (auth?: string): Promise<number> =>
        (await post(server.port, 'INFO FOR ROOT', auth)).status
      expect([401, 403]).toContain(await statusFor())
      expect(await statusFor('root:wrong')).toBe(401)
      expect(await statusFor(`${server.user}:${server.password}`)).toBe(200)
    })

    test('runs no scripts', async () => {
      const server = await startServer(make({ storage: 'memory' }))
      const [, script] = await server.sql('USE NS main DB main; RETURN function() { return 1 };')
      expect(script).toMatchObject({ status: 'ERR', result: expect.stringMatching(/not enabled|not allowed/) })
    })

    test('has no experimental features but those that are named', async () => {
      const bucket =
        'USE NS main DB main; DEFINE BUCKET x BACKEND "memory"; f"x:/a.txt".put("seen"); RETURN f"x:/a.txt".get();'
      const without = await startServer(make({ storage: 'memory' }))
      await expect(without.sql(bucket)).rejects.toThrow(/experimental files feature/)
      const experimental = await startServer(make({ storage: 'memory', capabilities: { experimental: ['files'] } }))
      expect(await experimental.sql(bucket)).toMatchObject([{}, { status: 'OK' }, { status: 'OK' }, { status: 'OK' }])
    })

    test('functions connect to nothing unless they are let, and then only there', async () => {
      const near = await startStranger()
      const far = await startStranger()
      const ask = async (server: Running, port: number): Promise<unknown> =>
        (await server.sql(`USE NS main DB main; RETURN http::get('http://127.0.0.1:${port}/');`))[1]
      const refused = { status: 'ERR', result: expect.stringMatching(/network target.*not allowed/) }
      const closed = await startServer(make({ storage: 'memory' }))
      expect(await ask(closed, near.port)).toMatchObject(refused)
      const some = await startServer(make({ storage: 'memory', capabilities: { network: [`127.0.0.1:${near.port}`] } }))
      expect(await ask(some, near.port)).toMatchObject({ status: 'OK' })
      expect(await ask(some, far.port)).toMatchObject(refused)
      expect(far.heard()).toBe('')
      const open = await startServer(make({ storage: 'memory', capabilities: { network: true } }))
      expect(await ask(open, far.port)).toMatchObject({ status: 'OK' })
    })

    test('listens on its port of the loopback address and nowhere else', async () => {
      const server = await startServer(make({ storage: 'memory' }))
      const listeners = tcpListenersOf(server.pid)
      expect(listeners.map(({ port }) => port)).toEqual([server.port])
      expect(listeners.every(isLoopback)).toBe(true)
    })

    test('shows its password in no command line and no log', async () => {
      const server = await startServer(make({ storage: 'rocksdb' }))
      const shown = commandLine(server.pid).join(' ')
      await server.end()
      expect(shown).not.toBe('')
      expect(shown).not.toContain(server.password)
      expect(readFileSync(server.logFile, 'utf8')).not.toContain(server.password)
    })

    test.each(durable)('%s: what was acknowledged is there after it was killed', async (storage) => {
      const first = await startServer(make({ storage }))
      const rows = await writeRows(first)
      process.kill(first.pid, 'SIGKILL')
      await first.gone()
      const second = await startServer(make({ storage }), first)
      expect(await countRows(second)).toBe(rows)
    })

    test.each(durable)('%s: what was acknowledged without a sync is there after it was killed', async (storage) => {
      const first = await startServer(make({ storage, sync: 'never' }))
      const rows = await writeRows(first)
      process.kill(first.pid, 'SIGKILL')
      await first.gone()
      const second = await startServer(make({ storage, sync: 'never' }), first)
      expect(await countRows(second)).toBe(rows)
    })

    test.each(durable)('%s: is asked to stop, closes its port and keeps its data', async (storage) => {
      const first = await startServer(make({ storage }))
      const rows = await writeRows(first)
      expect(await first.end()).toMatchObject({ code: 0, signal: null })
      expect(whoListensOn(first.port)).toEqual([])
      const second = await startServer(make({ storage }), first)
      expect(await countRows(second)).toBe(rows)
    })

    test('rocksdb: commits when asked to, which its storage writes and nobody finds', async () => {
      const server = await startServer(make({ storage: 'rocksdb' }))
      // What else it tells is of the machine: its load, its memory, when it was last seen.
      const seen = async (): Promise<unknown> =>
        (await server.sql('INFO FOR ROOT')).map(({ result }) => {
          const { namespaces, users } = result as Record<string, unknown>
          return { namespaces, users }
        })
      const [found, bytes] = [await seen(), bytesIn(server.databaseDir)]
      expect(await server.ask('commits')).toBeNull()
      expect(bytesIn(server.databaseDir)).toBeGreaterThan(bytes)
      expect(await seen()).toEqual(found)
    })

    test('memory: is declared not durable, and is not', async () => {
      const driver = make({ storage: 'memory' })
      expect(driver.durable).toBe(false)
      const first = await startServer(driver)
      await writeRows(first)
      await first.end()
      const second = await startServer(driver, first)
      expect(await countRows(second)).toBe(0)
    })

    test('ends at the second request although a client stays connected', async () => {
      const server = await startServer(make({ storage: 'memory' }))
      const client = await openSocket(server.port)
      server.child.send('terminate')
      server.child.send('terminate')
      await server.child.event('ended')
      expect(whoListensOn(server.port)).toEqual([])
      client.terminate()
    })

    test('a stranger on its port is a typed error, and hears nothing', async () => {
      const stranger = await startStranger()
      const host = await hostOf(make({ storage: 'memory' }), { port: stranger.port })
      await expect(host.start()).rejects.toThrow('PROCREF_PORT_TAKEN')
      expect(stranger.heard()).toBe('')
    })

    test.each(durable)('%s: a second server on its data is a typed error, and does not disturb it', async (storage) => {
      const first = await startServer(make({ storage }))
      const rows = await writeRows(first)
      const second = await hostOf(make({ storage }), { ...first, port: await freePort() })
      await expect(second.start()).rejects.toThrow('PROCREF_DATABASE_LOCKED')
      expect(await countRows(first)).toBe(rows)
    })

    test.each([
      ['rocksdb', 'surrealkv'],
      ['surrealkv', 'rocksdb'],
    ] as const)('data of %s are not opened as %s', async (written, asked) => {
      const first = await startServer(make({ storage: written }))
      await writeRows(first)
      await first.end()
      const wrong = await hostOf(make({ storage: asked }), first)
      await expect(wrong.ask('data')).rejects.toThrow(/^PROCREF_DATA_ENGINE_MISMATCH: .*\/db/)
      const right = await hostOf(make({ storage: written }), first)
      await right.ask('data')
    })

    test('a path that SurrealDB would cut is refused', async () => {
      const host = await hostOf(make({ storage: 'rocksdb' }), { dir: `${freshDir()}/what?` })
      await expect(host.launch()).rejects.toThrow(/^PROCREF_DATABASE_PATH: .*what\?\/db/)
    })

    test('a wait for it that is given up says why', async () => {
      const host = await hostOf(make({ storage: 'memory' }))
      await host.launch()
      await expect(host.ask('wait-aborted')).rejects.toThrow('given up')
    })

    test('dies with its guardian', async () => {
      const server = await startServer(make({ storage: 'rocksdb' }))
      server.child.kill('SIGKILL')
      await server.child.exited
      await eventually('the server is gone', () => !isAlive(server.pid))
    })
  })
}

/** Where a server lives, as its host is told. */
interface Place {
  readonly dir: string
  readonly databaseDir: string
  readonly logFile: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface Host extends Place {
  readonly child: Child
  /** What came of a word; rejects with code and message of the driver's error, and its cause's message. */
  ask<T>(word: string): Promise<T>
  launch(): Promise<number>
  start(): Promise<{ readonly pid: number; readonly version?: string }>
  /** Resolves once host and server are gone. */
  gone(): Promise<void>
}

export async function hostOf(driver: ServerDriver, at: Partial<Place> = {}): Promise<Host> {
  const dir = at.dir ?? freshDir()
  const place: Place = {
    dir,
    databaseDir: `${dir}/db`,
    logFile: `${dir}/server.log`,
    port: at.port ?? (await freePort()),
    user: at.user ?? 'keeper',
    password: at.password ?? `Pass-${Math.random().toString(36).slice(2)}`,
  }
  const { user, password, ...rest } = place
  const setup = {
    ...rest,
    host: '127.0.0.1',
    nonce: 'driver-suite',
    credentials: { user, password },
    descriptor: driver.descriptor,
  }
  const child = atEnd(
    startChild(new URL('../children/driver-host.mjs', import.meta.url), {
      env: { DRIVER_HOST: JSON.stringify(setup) },
    }),
  )
  await child.event('hosting')
  let pid = 0
  const ask = async <T>(word: string): Promise<T> => {
    child.send(word)
    const { result, error } = await child.event<Answer<T>>('answer')
    if (error === undefined) return result
    throw new Error(`${error.code}: ${error.message} ${error.cause?.message}`)
  }
  const launch = async (): Promise<number> => {
    pid = await ask<number>('launch')
    return pid
  }
  return {
    ...place,
    child,
    ask,
    launch,
    async start() {
      await launch()
      return { pid, ...(await ask<{ version?: string }>('ready')) }
    },
    async gone() {
      child.kill('SIGKILL')
      await child.exited
      await eventually('the server is gone', () => !isAlive(pid))
    },
  }
}

interface Answer<T> {
  readonly result: T
  readonly error?: { readonly code?: string; readonly message: string; readonly cause?: { readonly message: string } }
}

interface Result {
  readonly status: string
  readonly result: unknown
}

interface Running extends Host {
  readonly pid: number
  sql(statements: string): Promise<readonly Result[]>
  /** Stops it and its host in an orderly way, and tells how it ended. */
  end(): Promise<unknown>
}

/** A server that is ready, on the data and with the credentials of an earlier one if that is given. */
export async function startServer(driver: ServerDriver, before?: Place): Promise<Running> {
  const host = await hostOf(driver, before && { ...before, port: await freePort() })
  const { pid } = await host.start()
  return {
    ...host,
    pid,
    async sql(body) {
      const { status, body: text } = await post(host.port, body, `${host.user}:${host.password}`)
      if (status !== 200) throw new Error(`/sql answered ${status} ${text}`)
      return JSON.parse(text) as readonly Result[]
    },
    async end() {
      host.child.send('terminate')
      const end = await host.child.event('ended')
      host.child.end()
      await host.child.exited
      return end
    },
  }
}

function bytesIn(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  // RocksDB may remove one meanwhile.
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return files.reduce((sum, { parentPath, name }) => sum + sizeOf(`${parentPath}/${name}`), 0)
}

const ROWS = 25

async function writeRows(server: Running): Promise<number> {
  for (let row = 0; row < ROWS; row++) {
    expect(await server.sql(`USE NS main DB main; CREATE row:${row};`)).toMatchObject([{}, { status: 'OK' }])
  }
  return ROWS
}

async function countRows(server: Running): Promise<number> {
  const results = await server.sql('USE NS main DB main; DEFINE TABLE IF NOT EXISTS row; SELECT * FROM row;')
  const rows = results.at(-1)?.result
  return Array.isArray(rows) ? rows.length : expect.unreachable(JSON.stringify(results))
}

/** On a connection of its own that is closed at once: a server that is asked to stop waits for those that are open. */
export async function post(port: number, body: string, auth?: string): Promise<HttpAnswer> {
  const server = { host: '127.0.0.1', port, signal: AbortSignal.timeout(HANGS_MS) }
  const headers = { accept: 'application/json' }
  const answer = await ask(server, { method: 'POST', path: '/sql', headers, auth, timeout: HANGS_MS }, body)
  return typeof answer === 'string' ? expect.unreachable(answer) : answer
}

async function openSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, 'cbor')
  onTestFinished(() => socket.terminate())
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return socket
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** A web server that finds everything in order, and remembers every byte that it is told. */
async function startStranger(): Promise<{ readonly port: number; heard(): string }> {
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard.push(bytes)
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]')
    })
  })
  onTestFinished(() => void server.close())
  return { port: await listen(server), heard: () => Buffer.concat(heard).toString('latin1') }
}
