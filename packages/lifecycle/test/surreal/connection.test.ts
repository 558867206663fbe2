import { type AddressInfo, createServer } from 'node:net'
import { eventually, freePort, mustBlock, within } from '@procref/testing'
import { Table, Uuid } from 'surrealdb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ConnectionOptions, openConnection, type SurrealConnection } from '../../dist/surreal/connection.js'
import { type Asked, type FakeServer, type Reply, startFakeServer } from './fake-server.ts'

const PASSWORD = 'a-password-that-nobody-else-may-see'

/** Long enough that only a wait that would never end reaches it. */
const never = (): AbortSignal => AbortSignal.timeout(60_000)

async function open(url: string, options: Partial<ConnectionOptions> = {}): Promise<SurrealConnection> {
  const connection = await openConnection({
    url,
    namespace: 'main',
    database: 'main',
    credentials: () => ({ user: 'keeper', password: PASSWORD }),
    prove: () => {},
    signal: never(),
    ...options,
  })
  onTestFinished(() => connection.close())
  return connection
}

const methods = (asked: readonly Asked[], connection: number): readonly string[] =>
  asked.filter((one) => one.connection === connection).map(({ method }) => method)

/** How often a query with this text was sent on that connection. */
const sent = (server: FakeServer, text: string, connection: number): number =>
  server.asked.filter((one) => one.connection === connection && one.method === 'query' && one.params[0] === text).length

const ask = async (connection: SurrealConnection, text: string): Promise<unknown> => await connection.db.query(text)

/** A server whose connections end as often as a test wants. */
interface Weather {
  reply: (asked: Asked) => Reply | undefined
}

test('nobody listens: rejects with the system’s error', async () => {
  const port = await freePort()
  await expect(open(`ws://127.0.0.1:${port}/rpc`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('somebody accepts and never answers: rejects with the signal’s reason', async () => {
  const heard: Buffer[] = []
  const server = createServer((socket) => socket.on('data', (bytes) => heard.push(bytes)).on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const stop = new AbortController()
  const opening = open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`, { signal: stop.signal })
  await eventually('it was asked', () => heard.length > 0)
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(opening).rejects.toBe(reason)
})

test('an aborted signal: nothing is dialled', async () => {
  const server = await startFakeServer()
  const reason = new Error('too late')
  await expect(open(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(server.connections()).toBe(0)
})

test.each([1, 2])('a listener that fails the proof gets not a byte (proof %s of two)', async (failing) => {
  const stranger = await startPlainStranger()
  let asked = 0
  const reason = new Error('a stranger')
  const prove = (): void => {
    if (++asked === failing) throw reason
  }
  await expect(open(stranger.url, { prove })).rejects.toBe(reason)
  expect(asked).toBe(failing)
  await eventually('the stranger has seen the end', () => stranger.open() === 0)
  expect(stranger.heard()).toBe('')
})

test('the proof is asked for of the address that is dialled', async () => {
  const server = await startFakeServer()
  const proofs: unknown[] = []
  await open(server.url, { prove: (dialled) => proofs.push(dialled) })
  expect(proofs).toEqual(Array(2).fill({ host: '127.0.0.1', port: server.port }))
})

test('a stranger that passes for a server learns no password when the credentials are refused', async () => {
  const stranger = await startFakeServer()
  const reason = new Error('the server is not up')
  await expect(
    open(stranger.url, {
      credentials: async () => {
        throw reason
      },
    }),
  ).rejects.toBe(reason)
  expect(methods(stranger.asked, 1)).toEqual(['version', 'use'])
  expect(stranger.heard()).not.toContain(PASSWORD)
})

test('a refused sign-in is the server’s own error, at once', async () => {
  const server = await startFakeServer(({ method }) =>
    method === 'signin' ? { error: { code: -32000, message: 'There was a problem with authentication' } } : undefined,
  )
  await expect(open(server.url)).rejects.toThrow('There was a problem with authentication')
})

test('simultaneous first clients: an error that says it can be retried is retried', async () => {
  let refusals = 3
  const server = await startFakeServer(({ method }) => {
    if (method !== 'use' || refusals-- <= 0) return undefined
    return { error: { code: -32000, message: 'Failed to commit transaction. This transaction can be retried' } }
  })
  await open(server.url)
  expect(methods(server.asked, 1)).toEqual(['version', 'use', 'use', 'use', 'use', 'signin'])
})

/** What the server answers to a single statement that another transaction was in the way of. */
const CONFLICTING = {
  status: 'ERR',
  time: '1ms',
  result: 'Transaction conflict: Resource busy. This transaction can be retried',
}
const CONFLICT: Reply = { result: [CONFLICTING] }

const isLive = ({ method, params }: Asked): boolean => method === 'query' && String(params[0]).startsWith('LIVE SELECT')

test('a live query that another one is in the way of is asked for again, also when it is renewed', async () => {
  // connection 1: LIVE refused twice, then begun │ 1 dies │ 2: LIVE refused twice, then begun; nobody would hear of a failure
  const refusals = new Map<number, number>()
  const begun: number[] = []
  const server = await startFakeServer((asked) => {
    if (asked.method === 'query' && asked.params[0] === 'DROP') return asked.connection === 1 ? 'drop' : undefined
    if (!isLive(asked)) return undefined
    const refused = refusals.get(asked.connection) ?? 0
    refusals.set(asked.connection, refused + 1)
    if (refused < 2) return CONFLICT
    begun.push(asked.connection)
    return {
      result: [
        { status: 'OK', time: '1ms', result: new Uuid(`0198c0de-0000-7000-8000-00000000000${asked.connection}`) },
      ],
    }
  })
  const connection = await open(server.url)
  const failures: unknown[] = []
  connection.db.subscribe('error', (error) => failures.push(error))
  await connection.db.live(new Table('thing'))
  expect(begun).toEqual([1])
  expect(await ask(connection, 'DROP')).toEqual(['answered'])
  await eventually('it is renewed', () => begun.length === 2)
  expect(begun).toEqual([1, 2])
  expect(failures.filter((error) => String(error).includes('Live'))).toEqual([])
})

test('a live query that is refused for another reason, or for ever, is the program’s error', async () => {
  const weather: Weather = { reply: () => undefined }
  const server = await startFakeServer((asked) => (isLive(asked) ? weather.reply(asked) : undefined))
  const connection = await open(server.url)
  const lives = (): number => server.asked.filter(isLive).length
  weather.reply = () => ({ result: [{ status: 'ERR', time: '1ms', result: 'The table does not exist' }] })
  await expect(connection.db.live(new Table('thing'))).rejects.toMatchObject({
    cause: { message: 'The table does not exist' },
  })
  expect(lives()).toBe(1)
  weather.reply = () => CONFLICT
  await expect(connection.db.live(new Table('thing'))).rejects.toMatchObject({
    cause: { message: expect.stringContaining('can be retried') },
  })
  expect(lives()).toBe(1 + 21)
})

test('anything else is sent again after a conflict only if the program says retry()', async () => {
  let refusals = 0
  const server = await startFakeServer(({ method }) => {
    if (method !== 'query') return undefined
    return refusals++ % 2 === 0 ? CONFLICT : undefined
  })
  const connection = await open(server.url)
  await expect(ask(connection, 'CREATE once')).rejects.toThrow('can be retried')
  expect(sent(server, 'CREATE once', 1)).toBe(1)
  refusals = 0
  expect(await connection.db.query('CREATE again').retry()).toEqual(['answered'])
  expect(sent(server, 'CREATE again', 1)).toBe(2)
})

const NOT_EXECUTED = { status: 'ERR', time: '1ms', result: 'The query was not executed due to a failed transaction' }
const OK = { status: 'OK', time: '1ms', result: 'answered' }

test('retry() looks at what a transaction of several statements failed of', async () => {
  const text = 'BEGIN; CREATE a; CREATE b; COMMIT'
  const failed = [OK, NOT_EXECUTED, NOT_EXECUTED, CONFLICTING]
  let refusals = 0
  const server = await startFakeServer(({ method }) =>
    method === 'query' ? { result: refusals++ % 2 === 0 ? failed : [OK, OK, OK, OK] } : undefined,
  )
  const connection = await open(server.url)
  refusals = 0
  await expect(ask(connection, text)).rejects.toMatchObject({
    message: NOT_EXECUTED.result,
    cause: { message: expect.stringContaining('can be retried') },
  })
  refusals = 0
  expect(await connection.db.query(text).retry()).toEqual(['answered', 'answered', 'answered', 'answered'])
  expect(sent(server, text, 1)).toBe(1 + 2)
})

test('retry() sends a transaction that failed of something else once', async () => {
  const text = 'BEGIN; CREATE a; THROW "no"; COMMIT; BEGIN; CREATE b; COMMIT'
  const thrown = { status: 'ERR', time: '1ms', result: 'An error occurred: no' }
  const result = [OK, NOT_EXECUTED, thrown, NOT_EXECUTED, OK, NOT_EXECUTED, CONFLICTING]
  const server = await startFakeServer(({ method, params }) =>
    method === 'query' && params[0] === text ? { result } : undefined,
  )
  const connection = await open(server.url)
  await expect(connection.db.query(text).retry()).rejects.toMatchObject({ cause: { message: thrown.result } })
  expect(sent(server, text, 1)).toBe(1)
})

test('a lost connection is dialled again and restored, and says so', async () => {
  const server = await startFakeServer(({ method, params }) =>
    method === 'query' && params[0] === 'DROP' ? 'drop' : undefined,
  )
  const connection = await open(server.url, { namespace: 'main', database: 'main' })
  await connection.db.set('greeting', 'hello')
  const told: string[] = []
  connection.onDropped((error) => told.push(`dropped ${error.message.includes('closed the connection')}`))
  const stop = connection.onConnected(() => told.push('connected'))
  // Sent three times, each time the end of the connection.
  await expect(ask(connection, 'DROP')).rejects.toThrow()
  await connection.whenConnected(never())
  expect(server.connections()).toBe(4)
  expect(methods(server.asked, 4)).toEqual(['version', 'use', 'let', 'signin'])
  expect(told.filter((one) => one === 'dropped true')).toHaveLength(3)
  expect(told.at(-1)).toBe('connected')
  stop()
})

test('a call in flight is sent again, and given up when the third connection died under it', async () => {
  const server = await startFakeServer(({ method, params }) =>
    method === 'query' && params[0] === 'DROP' ? 'drop' : undefined,
  )
  const connection = await open(server.url)
  await expect(ask(connection, 'DROP')).rejects.toMatchObject({ name: 'CallTerminatedError' })
  expect([1, 2, 3, 4].map((n) => sent(server, 'DROP', n))).toEqual([1, 1, 1, 0])
  expect(await ask(connection, 'RETURN 1')).toEqual(['answered'])
})

test('a connection that dies while the session is restored does not make calls be sent twice', async () => {
  // A: call sent │ connection 1 dies │ 2: version answered, dies at `use` │ 3: restored; the call is sent once
  const weather: Weather = { reply: ({ method }) => (method === 'query' ? 'drop' : undefined) }
  const server = await startFakeServer((asked) => weather.reply(asked))
  const connection = await open(server.url)
  weather.reply = ({ method, connection: n }) => {
    if (n === 1 && method === 'query') return 'drop'
    return n === 2 && method === 'use' ? 'drop' : undefined
  }
  expect(await ask(connection, 'CREATE once')).toEqual(['answered'])
  expect([1, 2, 3].map((n) => sent(server, 'CREATE once', n))).toEqual([1, 0, 1])
  expect(methods(server.asked, 3)).toEqual(['version', 'use', 'signin', 'query'])
  // Nothing of the second connection's restoration comes later.
  expect(await ask(connection, 'RETURN 1')).toEqual(['answered'])
  expect(sent(server, 'CREATE once', 3)).toBe(1)
})

test('without credentials at a reconnection it dials again until there are some', async () => {
  const server = await startFakeServer(({ method, params, connection }) =>
    method === 'query' && params[0] === 'DROP' && connection === 1 ? 'drop' : undefined,
  )
  let missing = 0
  const connection = await open(server.url, {
    credentials: () => {
      if (server.connections() > 1 && ++missing <= 2) throw new Error('nobody says that it serves')
      return { user: 'keeper', password: PASSWORD }
    },
  })
  expect(await ask(connection, 'DROP')).toEqual(['answered'])
  expect(server.connections()).toBe(4)
  expect(methods(server.asked, 2)).toEqual(['version', 'use'])
})

test('credentials that come late are not given to a later connection', async () => {
  const server = await startFakeServer(({ method, params, connection }) =>
    method === 'query' && params[0] === 'DROP' && connection === 1 ? 'drop' : undefined,
  )
  let release = (): void => {}
  let signIns = 0
  const connection = await open(server.url, {
    credentials: async () => {
      if (++signIns === 2) await new Promise<void>((resolve) => (release = resolve))
      return { user: 'keeper', password: PASSWORD }
    },
  })
  const pending = ask(connection, 'DROP')
  await eventually('the second connection waits for credentials', () => methods(server.asked, 2).length === 2)
  const moved = await startFakeServer()
  connection.redial(moved.url)
  expect(await pending).toEqual(['answered'])
  release()
  expect(await ask(connection, 'RETURN 1')).toEqual(['answered'])
  expect(methods(moved.asked, 1)).toEqual(['version', 'use', 'signin', 'query', 'query'])
})

test('a stranger on the port while the server is away gets not a byte, and the server is found again', async () => {
  // A port that nobody else is given meanwhile.
  const server = await startFakeServer(undefined, await freePort())
  const proof = { reason: undefined as Error | undefined }
  const connection = await open(server.url, {
    prove: () => {
      if (proof.reason !== undefined) throw proof.reason
    },
  })
  await connection.db.set('secret', 'in a variable')
  proof.reason = new Error('a stranger')
  const seen: Error[] = []
  connection.onDropped((error) => seen.push(error))
  await server.close()
  const pending = ask(connection, 'CREATE secret')
  const stranger = await startPlainStranger(server.port)
  await eventually('it was dialled twice', () => seen.filter((error) => error === proof.reason).length >= 2)
  expect(stranger.heard()).toBe('')
  await stranger.close()
  await startFakeServer(undefined, server.port)
  proof.reason = undefined
  expect(await pending).toEqual(['answered'])
})

test('another URL: the same object, its variables and its pending calls', async () => {
  const first = await startFakeServer(({ method }) => (method === 'query' ? 'silence' : undefined))
  const connection = await open(first.url)
  await connection.db.set('greeting', 'hello')
  const pending = ask(connection, 'RETURN 1')
  const blocked = await mustBlock('the call', pending)
  const second = await startFakeServer()
  connection.redial(second.url)
  expect(await blocked()).toEqual(['answered'])
  expect(methods(second.asked, 1)).toEqual(['version', 'use', 'let', 'signin', 'query'])
  expect(connection.db.parameters).toEqual({ greeting: 'hello' })
})

test('told of a server that is back, it does not wait for the next interval, nor touch a connection that is up', async () => {
  const server = await startFakeServer()
  const connection = await open(server.url)
  connection.redial(server.url)
  expect(await ask(connection, 'RETURN 1')).toEqual(['answered'])
  expect(server.connections()).toBe(1)
})

test('a session that cannot be restored is the end, with the server’s reason', async () => {
  const server = await startFakeServer(({ method, params, connection }) => {
    if (method === 'query' && params[0] === 'DROP') return 'drop'
    if (method !== 'signin' || connection === 1) return undefined
    return { error: { code: -32000, message: 'IAM error: no such user' } }
  })
  const connection = await open(server.url)
  const ended = new Promise<Error | undefined>((resolve) => connection.onEnded(resolve))
  await expect(ask(connection, 'DROP')).rejects.toThrow()
  expect((await within('the end', ended))?.message).toContain('no such user')
  await expect(connection.whenConnected(never())).rejects.toThrow('no such user')
})

describe('a full disk keeps the server from making what the session uses', () => {
  const FULL = {
    error: { code: -32000, message: 'There was a problem with the key-value store: IO error: No space left on device' },
  }

  test('at the first connection it is told, with what to do', async () => {
    const server = await startFakeServer(({ method }) => (method === 'use' ? FULL : undefined))
    await expect(open(server.url)).rejects.toMatchObject({
      code: 'PROCREF_DISK_FULL',
      path: expect.stringContaining(server.url),
    })
    expect(server.connections()).toBe(1)
  })

  test('at a later one it is no end: it dials again until there is room', async () => {
    const server = await startFakeServer(({ method, params, connection }) => {
      if (method === 'query' && params[0] === 'DROP' && connection === 1) return 'drop'
      return method === 'use' && (connection === 2 || connection === 3) ? FULL : undefined
    })
    const connection = await open(server.url)
    connection.onEnded((error) => expect.unreachable(String(error)))
    await ask(connection, 'DROP')
    expect(server.connections()).toBe(4)
  })
})

test('the program’s own close() of the object is told, without a reason', async () => {
  const server = await startFakeServer()
  const connection = await open(server.url)
  const ended = new Promise<Error | undefined>((resolve) => connection.onEnded(resolve))
  await connection.db.close()
  expect(await within('the end', ended)).toBeUndefined()
})

test('close() rejects what has no answer, and is not told as an end', async () => {
  const server = await startFakeServer(({ method }) => (method === 'query' ? 'silence' : undefined))
  const connection = await open(server.url)
  let ends = 0
  connection.onEnded(() => ends++)
  const pending = ask(connection, 'RETURN 1')
  const blocked = await mustBlock('the call', pending)
  await connection.close()
  await connection.close()
  await expect(blocked()).rejects.toMatchObject({ name: 'CallTerminatedError' })
  await expect(ask(connection, 'RETURN 1')).rejects.toMatchObject({ name: 'ConnectionUnavailableError' })
  expect(ends).toBe(0)
})

test('close() while it is dialling ends that', async () => {
  const server = await startFakeServer(undefined, await freePort())
  const connection = await open(server.url)
  const dropped = new Promise((resolve) => connection.onDropped(resolve))
  await server.close()
  await within('the loss of the connection', dropped)
  await connection.close()
  expect(connection.db.status).toBe('disconnected')
})

test('an answer of more than 100 MiB, the limit of ws, is not asked for over and over', async () => {
  const large = 'x'.repeat(101 * 1024 * 1024)
  const server = await startFakeServer(({ method }) =>
    method === 'query' ? { result: [{ status: 'OK', time: '1ms', result: large }] } : undefined,
  )
  const connection = await open(server.url)
  const [answer] = (await ask(connection, 'RETURN large')) as [string]
  expect(answer.length).toBe(large.length)
})

test('a frame that is not of the protocol ends the connection, and the call is asked for again', async () => {
  let frames = 0
  const server = await startFakeServer(({ method }) => {
    if (method !== 'query' || frames++ > 0) return undefined
    return 'garbage'
  })
  const connection = await open(server.url)
  expect(await ask(connection, 'RETURN 1')).toEqual(['answered'])
})

test('a listener of the program that throws does not end its process', async () => {
  const server = await startFakeServer(({ method, params, connection }) =>
    method === 'query' && params[0] === 'DROP' && connection === 1 ? 'drop' : undefined,
  )
  const connection = await open(server.url)
  connection.db.subscribe('reconnecting', () => {
    throw new Error('a mistake of the program')
  })
  expect(await ask(connection, 'DROP')).toEqual(['answered'])
})

/** Accepts, answers nothing, and remembers what it is told. */
async function startPlainStranger(
  port = 0,
): Promise<{ readonly url: string; heard(): string; open(): number; close(): Promise<void> }> {
  const heard: Buffer[] = []
  let open = 0
  const server = createServer((socket) => {
    open++
    socket.on('data', (bytes) => heard.push(bytes))
    socket.on('error', () => {})
    socket.on('close', () => open--)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  onTestFinished(() => void server.close())
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`,
    heard: () => Buffer.concat(heard).toString('latin1'),
    open: () => open,
    close,
  }
}
