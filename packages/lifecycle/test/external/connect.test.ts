import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { flock } from '@procref/flock'
import { eventually, freePort, freshDir, within } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import {
  connect,
  type ExternalConnectOptions,
  type ExternalOptions,
  type ExternalServer,
  external,
  type Lease,
  lookAtSlots,
} from '../../dist/index.js'
import { uncaughtException } from '../client/uncaught-exception.ts'
import { type Asked, type Reply, startFakeServer } from '../surreal/fake-server.ts'

const PASSWORD = 'a-password-that-nobody-else-may-see'
const ROOT = { user: 'root', password: PASSWORD }

interface Options extends Partial<Omit<ExternalConnectOptions, 'driver'>> {
  readonly url: string
  readonly credentials?: ExternalOptions['credentials']
  readonly pingMs?: number
}

const dirs = new Map<string, string>()

/** One directory a test. */
function testDir(): string {
  const name = expect.getState().currentTestName ?? ''
  const dir = dirs.get(name) ?? `${freshDir()}/service`
  dirs.set(name, dir)
  return dir
}

async function lease({ url, credentials = ROOT, pingMs, ...options }: Options): Promise<Lease<ExternalServer>> {
  const driver = external({ url, credentials, ...(pingMs !== undefined && { pingMs }) })
  const made = await connect({ dir: testDir(), backend: flock(), driver, timeoutMs: 60_000, ...options })
  onTestFinished(() => made.close())
  return made
}

async function slotsHeld(): Promise<number> {
  return (await lookAtSlots(flock(), `${testDir()}/external`)).held.length
}

const lostReason = (of: Lease<ExternalServer>): Promise<unknown> =>
  within(
    'the loss of the lease',
    new Promise((resolve) => {
      const { lost } = of
      if (lost.aborted) resolve(lost.reason)
      lost.addEventListener('abort', () => resolve(lost.reason))
    }),
  )

const reconnection = (of: Lease<ExternalServer>): Promise<unknown> =>
  within('the reconnection', new Promise((resolve) => of.onReconnect(resolve)))

const signIns = (asked: readonly Asked[]): readonly unknown[] =>
  asked.filter(({ method }) => method === 'signin' || method === 'authenticate').map(({ params }) => params[0])

const REFUSAL: Reply = { error: { code: -32000, message: 'There was a problem with authentication' } }

async function listening(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('the lease says that the server is elsewhere; there is nothing of a server of this machine', async () => {
  const server = await startFakeServer()
  const made = await lease({ url: server.url })
  expect(made.server).toEqual({
    external: true,
    driver: 'external',
    url: server.url,
    host: '127.0.0.1',
    port: server.port,
    durable: undefined,
  })
  expect([made.url, made.epoch, made.lost.aborted]).toEqual([server.url, 1, false])
  expect(readdirSync(testDir())).toEqual(['external'])
  expect(made.slot.path).toMatch(/\/external\/slot_\d+\.lock$/)
  expect(await slotsHeld()).toBe(1)
  await made.close()
  expect(await slotsHeld()).toBe(0)
})

test('closing gives the slot back after the connection has ended', async () => {
  const server = await startFakeServer()
  const made = await lease({ url: server.url })
  const order: string[] = []
  made.db.subscribe('disconnected', async () => order.push(`disconnected, ${await slotsHeld()} held`))
  await made.close()
  order.push('closed')
  await eventually('both were seen', () => order.length === 2)
  expect(order).toContain('disconnected, 1 held')
})

test('a namespace or database that is missing is made by the administrator, not by others', async () => {
  const server = await startFakeServer()
  const names = { namespace: 'n', database: 'd' }
  await lease({ url: server.url, ...names })
  await lease({ url: server.url, ...names, credentials: { ...ROOT, namespace: 'n' } })
  await lease({ url: server.url, ...names, credentials: { ...ROOT, ...names } })
  await lease({ url: server.url, ...names, credentials: { token: 'a.b.c' } })
  const queries = server.asked.filter(({ method }) => method === 'query').map(({ params }) => String(params[0]))
  expect(queries.map((query) => query.match(/DEFINE \w+/g))).toEqual([
    ['DEFINE NAMESPACE', 'DEFINE DATABASE'],
    ['DEFINE DATABASE'],
  ])
  expect(signIns(server.asked)).toMatchObject([
    { user: 'root', pass: PASSWORD },
    { user: 'root', pass: PASSWORD, ns: 'n' },
    { user: 'root', pass: PASSWORD, ns: 'n', db: 'd' },
    'a.b.c',
  ])
})

test('who may not make them is let in all the same', async () => {
  const server = await startFakeServer(({ method }) =>
    method === 'query'
      ? {
          result: [{ status: 'ERR', time: '1ms', result: 'IAM error: Not enough permissions to perform this action' }],
        }
      : undefined,
  )
  expect((await lease({ url: server.url })).db.status).toBe('connected')
})

test('refused credentials are an error at once, with nothing of them in it, and the slot is free again', async () => {
  const server = await startFakeServer(({ method }) => (method === 'signin' ? REFUSAL : undefined))
  const error = await lease({ url: server.url }).catch((failure: unknown) => failure)
  expect(error).toMatchObject({
    code: 'PROCREF_EXTERNAL_REFUSED',
    refused: 'credentials',
    message: expect.stringContaining('There was a problem with authentication'),
  })
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD)
  expect(server.connections()).toBe(1)
  expect(await slotsHeld()).toBe(0)
})

test('another no of the server is told apart from that of the credentials', async () => {
  const server = await startFakeServer(({ method }) =>
    method === 'use' ? { error: { code: -32000, message: 'not here' } } : undefined,
  )
  await expect(lease({ url: server.url })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_REFUSED',
    refused: 'session',
  })
  expect(server.heard()).not.toContain(PASSWORD)
})

test.each([
  ['of its own', new Error('the vault is closed')],
  ['of the system', Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO', path: '/vault' })],
])(
  'a function that has no credentials fails connect() with its own error (%s), and the slot is free again',
  async (_of, reason) => {
    const server = await startFakeServer()
    const credentials = (): never => {
      throw reason
    }
    await expect(lease({ url: server.url, credentials })).rejects.toBe(reason)
    expect(server.connections()).toBe(1)
    expect(await slotsHeld()).toBe(0)
  },
)

/** All of it is waited for; an attempt has to be made in it, and answered, also by a process that stands still for some seconds. */
const WAITED_MS = 10_000

test('nobody listens: an error when the time is over, which says what the last attempt came to', async () => {
  const url = `ws://127.0.0.1:${await freePort()}`
  const said: string[] = []
  const onProgress = ({ message }: { readonly message: string }): void => void said.push(message)
  await expect(lease({ url, timeoutMs: WAITED_MS, onProgress })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_UNREACHABLE',
    url: `${url}/rpc`,
    timeoutMs: WAITED_MS,
    message: expect.stringMatching(/within 10000 ms.*ECONNREFUSED/),
  })
  expect(said).toContainEqual(expect.stringMatching(/^waiting for a connection to .*ECONNREFUSED/))
  expect(await slotsHeld()).toBe(0)
})

test('somebody who accepts and never answers: the same error', async () => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume())
  const url = `ws://127.0.0.1:${await listening(silent)}`
  await expect(lease({ url, timeoutMs: WAITED_MS })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_UNREACHABLE',
    reason: 'no answer in time',
  })
})

test('a server that comes up while it is waited for is connected to', async () => {
  const port = await freePort()
  const pending = lease({ url: `ws://127.0.0.1:${port}` })
  await eventually('the slot is claimed', async () => existsSync(testDir()) && (await slotsHeld()) === 1)
  await startFakeServer(() => undefined, port)
  expect((await pending).db.status).toBe('connected')
})

test('the signal ends the wait with its reason', async () => {
  const stop = new AbortController()
  const pending = lease({ url: `ws://127.0.0.1:${await freePort()}`, signal: stop.signal })
  const reason = new Error('enough')
  setTimeout(() => stop.abort(reason), 50)
  await expect(pending).rejects.toBe(reason)
  expect(await slotsHeld()).toBe(0)
})

test.each([404, 401, 301])('what answers with %s is no SurrealDB: an error at once', async (status) => {
  let asked = 0
  const web = createHttpServer((_request, response) => {
    asked++
    response.writeHead(status).end()
  })
  await expect(lease({ url: `ws://127.0.0.1:${await listening(web)}` })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_NOT_SURREALDB',
    message: expect.stringContaining(String(status)),
  })
  expect(asked).toBe(1)
})

test('what does not speak HTTP is no SurrealDB either', async () => {
  const other = createServer((socket) => socket.on('error', () => {}).end('220 mail.example.com ready\r\n'))
  await expect(lease({ url: `ws://127.0.0.1:${await listening(other)}` })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_NOT_SURREALDB',
  })
})

test('a proxy whose server is not ready yet (503) is asked again', async () => {
  let asked = 0
  const port = await freePort()
  const web = createHttpServer((_request, response) => {
    asked++
    response.writeHead(503, { connection: 'close' }).end()
  })
  await listening(web, port)
  const pending = lease({ url: `ws://127.0.0.1:${port}` })
  await eventually('it was asked twice', () => asked > 1)
  await new Promise((resolve) => web.close(resolve))
  await startFakeServer(() => undefined, port)
  expect((await pending).db.status).toBe('connected')
})

test('an address of TLS at a server without: an error at once that says so, and nothing was told', async () => {
  const server = await startFakeServer()
  await expect(lease({ url: `wss://127.0.0.1:${server.port}` })).rejects.toMatchObject({
    code: 'PROCREF_EXTERNAL_TLS',
    message: expect.stringMatching(/server without TLS/),
  })
  expect(server.heard()).toBe('')
})

test('a full pool is refused before anybody is dialled, and names who holds its slots and for which server', async () => {
  const server = await startFakeServer()
  await lease({ url: server.url, slots: 1, label: 'the only one' })
  const before = server.connections()
  await expect(lease({ url: server.url })).rejects.toMatchObject({
    code: 'PROCREF_SLOTS_EXHAUSTED',
    message: expect.stringContaining(`the only one (${server.url})`),
  })
  expect(server.connections()).toBe(before)
})

test('with whenFull: wait, whoever leaves makes room', async () => {
  const server = await startFakeServer()
  const first = await lease({ url: server.url, slots: 1 })
  const second = lease({ url: server.url, whenFull: 'wait' })
  await first.close()
  expect((await second).db.status).toBe('connected')
})

test('a lost connection is made again: the epoch grows, listeners are told, and the lease goes on', async () => {
  const server = await startFakeServer(({ method, params }) =>
    method === 'query' && params[0] === 'DROP' && server.connections() === 1 ? 'drop' : undefined,
  )
  const made = await lease({ url: server.url })
  const told = reconnection(made)
  const answer = made.db.query('DROP').then((results) => results)
  expect(await told).toEqual({ epoch: 2, server: made.server })
  expect(await within('the answer', answer)).toEqual(['answered'])
  expect([made.epoch, made.lost.aborted]).toEqual([2, false])
})

test('a listener that throws is an uncaught exception of the program; the lease goes on', async () => {
  const server = await startFakeServer(({ method, params }) =>
    method === 'query' && params[0] === 'DROP' && server.connections() === 1 ? 'drop' : undefined,
  )
  const made = await lease({ url: server.url })
  const mistake = new Error('a mistake of the program')
  made.onReconnect(() => {
    throw mistake
  })
  const uncaught = uncaughtException()
  expect(await within('the answer', made.db.query('DROP'))).toEqual(['answered'])
  expect(await within('the mistake', uncaught)).toBe(mistake)
  expect([made.epoch, made.lost.aborted]).toEqual([2, false])
})

test('the token of the first sign-in is tried first, and when it is not accepted the function is asked again', async () => {
  const asked: number[] = []
  const server = await startFakeServer(({ connection, method, params }) => {
    if (method === 'query' && params[0] === 'DROP') return connection === 1 ? 'drop' : undefined
    if (method === 'authenticate') return REFUSAL
    return undefined
  })
  const credentials = async (): Promise<typeof ROOT> => {
    asked.push(server.connections())
    return ROOT
  }
  const made = await lease({ url: server.url, credentials })
  const told = reconnection(made)
  made.db.query('DROP').catch(() => {})
  await told
  expect(asked).toEqual([1, 2])
})

test('credentials that are refused at a reconnection: lost, with the reason', async () => {
  const server = await startFakeServer(({ connection, method, params }) => {
    if (method === 'query' && params[0] === 'DROP') return 'drop'
    if (connection === 1) return undefined
    return method === 'signin' || method === 'authenticate' ? REFUSAL : undefined
  })
  const made = await lease({ url: server.url })
  const call = made.db.query('DROP').then(
    () => 'answered',
    (error: unknown) => (error as Error).name,
  )
  const reason = await lostReason(made)
  expect(reason).toMatchObject({ code: 'PROCREF_EXTERNAL_REFUSED', refused: 'credentials' })
  expect(inspect(reason, { depth: 9, showHidden: true })).not.toContain(PASSWORD)
  expect(await within('the call', call)).toBe('CallTerminatedError')
  await made.close()
  expect(await slotsHeld()).toBe(0)
})

test('a function that fails at a reconnection is asked again', async () => {
  let failures = 2
  const server = await startFakeServer(({ connection, method, params }) => {
    if (method === 'query' && params[0] === 'DROP' && connection === 1) return 'drop'
    return undefined
  })
  const credentials = (): typeof ROOT => {
    if (server.connections() > 1 && failures-- > 0) throw new Error('the vault is closed')
    return ROOT
  }
  const made = await lease({ url: server.url, credentials })
  const told = reconnection(made)
  made.db.query('DROP').catch(() => {})
  await told
  expect(server.connections()).toBe(4)
})

test('without a connection for timeoutMs the lease is lost, with what the last attempt came to', async () => {
  // A port that nobody else is given meanwhile.
  const server = await startFakeServer(undefined, await freePort())
  const made = await lease({ url: server.url, timeoutMs: WAITED_MS })
  await server.close()
  expect(await lostReason(made)).toMatchObject({
    code: 'PROCREF_EXTERNAL_UNREACHABLE',
    timeoutMs: WAITED_MS,
    message: expect.stringContaining('ECONNREFUSED'),
  })
  await made.close()
  expect(await slotsHeld()).toBe(0)
})

test('a program that closes db itself gives its slot back', async () => {
  const made = await lease({ url: (await startFakeServer()).url })
  await made.db.close()
  await eventually('the slot is free', async () => (await slotsHeld()) === 0)
  expect(made.lost.aborted).toBe(false)
})

/** Leads to `port` until it forgets its connections, as a firewall does: nothing goes through, and nobody is told. */
async function startForgetful(port: number): Promise<{ readonly port: number; forget(): void }> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const between = createServer((inside) => {
    const outside = connectTcp(port, '127.0.0.1')
    for (const socket of [inside, outside]) socket.on('error', () => {})
    inside.pipe(outside)
    outside.pipe(inside)
    pairs.add([inside, outside])
    onTestFinished(() => void [inside, outside].map((socket) => socket.destroy()))
  })
  return {
    port: await listening(between),
    forget() {
      for (const [inside, outside] of pairs) {
        inside.unpipe(outside).resume()
        outside.unpipe(inside).resume()
      }
    },
  }
}

test('a connection that has gone silent is given up and made again; one that only has nothing to say is not', async () => {
  const server = await startFakeServer()
  const between = await startForgetful(server.port)
  const made = await lease({ url: `ws://127.0.0.1:${between.port}`, pingMs: 500 })
  let answered = 0
  for (const began = performance.now(); performance.now() - began < 3_000; answered++) await made.db.query('RETURN 1')
  expect([answered > 0, server.connections()]).toEqual([true, 1])
  const told = reconnection(made)
  between.forget()
  await told
  expect(await within('the answer', made.db.query('RETURN 1'))).toEqual(['answered'])
})

test('slot files that are deleted, even with the directory: the lease counts in the new one', async () => {
  const made = await lease({ url: (await startFakeServer()).url })
  rmSync(testDir(), { recursive: true })
  await eventually('it has a slot again', async () => existsSync(testDir()) && (await slotsHeld()) === 1)
  await made.slot.verify()
  expect(made.lost.aborted).toBe(false)
})

test('a port, which belongs to the url, is refused', async () => {
  const options = { url: 'ws://127.0.0.1', port: 8000 }
  await expect(lease(options)).rejects.toThrow(/^port: that of an external server belongs to its url/)
})
