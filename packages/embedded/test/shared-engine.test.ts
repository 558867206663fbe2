import { readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { flock } from '@procref/flock'
import { connect } from '@procref/lifecycle'
import { endDirectory, eventually, freshDir, servantsOf } from '@procref/testing'
import { Surreal, Table } from 'surrealdb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { ALLOCATOR_SETTINGS } from '../dist/engine-environment.js'
import { embeddedSurreal } from '../dist/index.js'

const LINGER_MS = 300

function serviceDir(): string {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

async function lease(dir: string, storage: 'rocksdb' | 'surrealkv' | 'memory' = 'memory') {
  const made = await connect({ dir, backend: flock(), driver: embeddedSurreal({ storage }), lingerMs: LINGER_MS })
  onTestFinished(() => made.close())
  return made
}

function bare(): Surreal {
  const db = new Surreal({ websocketImpl: WebSocket as never })
  onTestFinished(async () => void (await db.close()))
  return db
}

const PLAIN = { reconnect: false, versionCheck: false } as const

test('two clients share one engine inside the guardian, and see each other live', async () => {
  const dir = serviceDir()
  const [one, two] = await Promise.all([lease(dir), lease(dir)])
  expect(one.server.pid).toBe(one.server.guardianPid)
  expect(two.server.pid).toBe(one.server.pid)
  await one.db.query('DEFINE TABLE note')
  const seen: string[] = []
  const live = await two.db.live(new Table('note'))
  live.subscribe(({ action, value }) => seen.push(`${action} ${String(value?.text)}`))
  // One after the other: among the statements of one query the engine promises no order of notifications.
  const changes = [
    ["CREATE note:1 SET text = 'a'", 'CREATE a'],
    ["UPDATE note:1 SET text = 'b'", 'UPDATE b'],
    ['DELETE note:1', 'DELETE b'],
  ] as const
  for (const [statement, change] of changes) {
    await one.db.query(statement)
    await eventually(change, () => seen.at(-1) === change)
  }
})

test.runIf(process.platform === 'linux')('the guardian has the allocator settings from its start', async () => {
  const { server } = await lease(serviceDir())
  const environment = readFileSync(`/proc/${server.guardianPid}/environ`, 'utf8')
  const settings = ALLOCATOR_SETTINGS.GLIBC_TUNABLES
  // glibc may have written a zero between two of them when it read them.
  expect(environment.replaceAll('\0', ':')).toContain(`:GLIBC_TUNABLES=${settings}:`)
  expect(settings).toContain('glibc.malloc.tcache_count=300')
  expect(settings).toContain('glibc.malloc.arena_max=1')
})

test.each(['rocksdb', 'surrealkv'] as const)(
  'every acknowledged row of %s survives a SIGKILL, on the same port',
  async (storage) => {
    const dir = serviceDir()
    const client = await lease(dir, storage)
    for (let n = 0; n < 100; n++) await client.db.query(`CREATE row:${n} SET n = ${n}`)
    const { port, pid } = client.server
    const back = new Promise<{ epoch: number }>((resolve) => client.onReconnect(resolve))
    process.kill(pid, 'SIGKILL')
    expect((await back).epoch).toBe(2)
    expect(client.server.port).toBe(port)
    const [rows] = await client.db.query<[number[]]>('SELECT VALUE n FROM row')
    expect(rows).toHaveLength(100)
  },
)

test('after the last client the guardian stops the engine and leaves', async () => {
  const dir = serviceDir()
  const client = await lease(dir)
  await client.close()
  await eventually('nobody serves the directory', () => servantsOf(dir).length === 0)
})

test('who has not signed in may do nothing, and a wrong password is refused', async () => {
  const { url } = await lease(serviceDir())
  const stranger = bare()
  await stranger.connect(url, PLAIN)
  await expect(stranger.query('SELECT * FROM note')).rejects.toThrow()
  await expect(stranger.query('REMOVE NAMESPACE main')).rejects.toThrow()
  await expect(stranger.signin({ username: 'root', password: 'wrong' })).rejects.toThrow()
})

test('a database without a namespace, which would abort the engine, disturbs nobody', async () => {
  const { url, db, server } = await lease(serviceDir())
  const careless = bare()
  await careless.connect(url, PLAIN)
  await careless.use({ database: 'only' }).catch(() => {})
  expect(await db.query('RETURN 1 + 1')).toEqual([2])
  expect(() => process.kill(server.pid, 0)).not.toThrow()
})

test('a page of another site is refused by its Host and its Origin; health is public', async () => {
  const { server } = await lease(serviceDir())
  expect(await statusOf(server.port, {})).toBe(200)
  expect(await statusOf(server.port, { host: 'evil.example' })).toBe(403)
  expect(await statusOf(server.port, { origin: 'http://evil.example' })).toBe(403)
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/rpc`, 'cbor', { origin: 'http://evil.example' })
  const refused = await new Promise<Error>((resolve, reject) => {
    socket.once('error', resolve)
    socket.once('open', () => reject(new Error('it was let in')))
  })
  expect(refused.message).toContain('403')
})

test('a frame that is no CBOR ends its own connection at most', async () => {
  const { server, db } = await lease(serviceDir())
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/rpc`, 'cbor')
  onTestFinished(() => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  const answered = new Promise((resolve) => {
    socket.once('message', resolve)
    socket.once('close', resolve)
  })
  socket.send(Buffer.from([0xff, 0x00, 0x13]))
  await answered
  expect(await db.query('RETURN 1 + 1')).toEqual([2])
})

function statusOf(port: number, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/health', headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.once('error', reject)
    asked.end()
  })
}
