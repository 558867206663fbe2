import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Child,
  endDirectory,
  eventually,
  freshDir,
  HANGS_MS,
  isAlive,
  lockUsers,
  startChild,
} from '@procref/testing'
import fc from 'fast-check'
import { mutatedBytes } from '../mutated-bytes.ts'
import { mutatedJson } from '../mutated-json.ts'
import { fuzzTarget } from '../target.ts'

/** What the product may wait for by itself comes one after the other: a start that another one is in the way of, a lock, a port, a stop. */
const CONNECT_MS = 90_000
/** And the client itself has to start. */
const ANSWER_MS = CONNECT_MS + HANGS_MS

const CLIENT = new URL('../../service/children/client.mjs', import.meta.url)

/** Relative to the directory; and what stands in it after a run. */
const FILES = [
  'server.json',
  'request.json',
  'data/engine.json',
  'data/credentials.json',
  'slots/protocol.json',
] as const

interface Input {
  readonly file: (typeof FILES)[number]
  readonly change: Buffer
}

/** Replaced by the pid of a process that has nothing to do with it, which is only known when it was started. */
const CANARY_PID = 4_194_303_999
const NONCE = '0123456789abcdef0123456789abcdef'

/** Shaped like what a guardian has left, or is asked. */
const SHAPES: Readonly<Record<Input['file'], unknown>> = {
  'server.json': undefined,
  'request.json': { kind: 'stop', nonce: NONCE, force: true, by: CANARY_PID, at: '2026-01-01T00:00:00.000Z' },
  'data/engine.json': { engine: 'surrealdb', version: '3.0.2', storage: 'rocksdb' },
  'data/credentials.json': { user: 'procref', password: 'x' },
  'slots/protocol.json': { format: 1, protocol: 'flock', slots: 100 },
}

/**
 * The whole service over a directory in which one file was changed while nothing ran: a client gets its rows, or an error of ours; with the
 * file as it was it gets its rows; nothing runs on, and nobody else was signalled.
 */
export function serviceTarget(serverRecord: unknown) {
  const shapes = { ...SHAPES, 'server.json': serverRecord }
  const change = (file: Input['file']): fc.Arbitrary<Input> =>
    fc
      .oneof(mutatedJson(shapes[file], [CANARY_PID]), mutatedBytes([Buffer.from(`${JSON.stringify(shapes[file])}\n`)]))
      .map((bytes) => ({ file, change: bytes }))
  return fuzzTarget<Input>({
    name: 'service',
    title: 'connect() in a directory whose files were changed while nothing ran',
    inputs: fc.oneof({ weight: 4, arbitrary: change('server.json') }, ...FILES.slice(1).map(change)),
    sample: 6,
    open: openService,
  })
}

async function openService() {
  const dir = join(freshDir(), 'service')
  const canary = startChild(new URL('./children/canary.mjs', import.meta.url))
  await canary.event('ready')
  await withClient(dir, async (client) => {
    await client.event('connected', ANSWER_MS)
    client.send('row')
    await client.event('row', ANSWER_MS)
  })
  const before = new Map(
    FILES.map((file) => [file, existsSync(join(dir, file)) ? readFileSync(join(dir, file)) : undefined]),
  )
  return {
    async feed({ file, change }: Input) {
      const changed = Buffer.from(
        change.toString('latin1').replaceAll(String(CANARY_PID), String(canary.pid)),
        'latin1',
      )
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      writeFileSync(join(dir, file), changed, { mode: 0o600 })
      await withClient(dir, async (client) => await hasRowsOrToldWhy(client))
      if (!isAlive(canary.pid)) throw new Error('a process that has nothing to do with it was ended')
      // Whatever a guardian has written since: as it was after a clean stop.
      for (const [name, bytes] of before) {
        if (bytes === undefined) rmSync(join(dir, name), { force: true })
        else writeFileSync(join(dir, name), bytes, { mode: 0o600 })
      }
      await withClient(dir, async (client) => {
        await client.event('connected', ANSWER_MS)
        if ((await rowsOf(client)) !== 1) throw new Error('the row is gone')
      })
    },
    async [Symbol.asyncDispose]() {
      await endDirectory(dir)
      await canary[Symbol.asyncDispose]()
    },
  }
}

/** A client that is killed in the end; then nothing runs any more. */
async function withClient(dir: string, use: (client: Child) => Promise<void>): Promise<void> {
  const options = { driver: 'embedded', lingerMs: 0, timeoutMs: CONNECT_MS }
  try {
    await using client = startChild(CLIENT, { args: [dir, JSON.stringify(options)] })
    await use(client)
  } finally {
    await eventually('nobody has a lock of it open', () => lockUsers(dir).length === 0, ANSWER_MS)
  }
}

async function rowsOf(client: Child): Promise<number> {
  client.send('count')
  return (await client.event<{ rows: number }>('counted', ANSWER_MS)).rows
}

async function hasRowsOrToldWhy(client: Child): Promise<void> {
  try {
    await client.event('connected', ANSWER_MS)
  } catch (error) {
    if (client.stdout().includes('"code":"PROCREF_')) return
    throw error
  }
  if ((await rowsOf(client)) !== 1) throw new Error('the row is gone')
}
