import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'vitest'
import { asRoot } from '../http-request.ts'
import { RawClient } from '../raw-client.ts'
import type { TestServer } from '../server.ts'
import { peakMb, settledMb } from './memory.ts'

export interface DumpSize {
  readonly rows: number
  /** Characters of each. */
  readonly length: number
}

export interface DumpStep {
  readonly tookMs: number
  readonly rssMb: { readonly before: number; readonly peak: number; readonly after: number }
}

export interface DumpResult extends DumpSize {
  /** Of the dump. */
  readonly megabytes: number
  readonly export: DumpStep
  readonly import: DumpStep
}

const QUIET_MS = 3_000
const SETTLES_MS = 10_000
/** Rows made by one query. */
const CHUNK_BYTES = 10_000_000
const CHUNK_ROWS = 2_500

/** Fills a database, exports it to a file in `dir` and imports that into another one, as fast as the server can. */
export async function exportAndImport(
  server: TestServer,
  { rows, length }: DumpSize,
  dir: string,
): Promise<DumpResult> {
  await using source = await inDatabase(server, 'source')
  const chunk = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_BYTES / length)))
  for (let from = 0; from < rows; from += chunk) {
    await source.query(
      'FOR $i IN $from..$to { CREATE type::record("row", $i) SET n = $i, text = string::repeat("x", $length) RETURN NONE }',
      { from, to: Math.min(rows, from + chunk), length },
    )
  }
  const file = join(dir, 'dump.surql')
  const exported = await measured(server, () => exportTo(server, 'source', file))
  const imported = await importRows(server, { rows, length }, () => createReadStream(file))
  return { rows, length, megabytes: statSync(file).size / 1024 / 1024, export: exported, import: imported }
}

/** Imports one INSERT of all rows, as the real server exports up to a thousand, however long they are. */
export async function importOneInsert(server: TestServer, { rows, length }: DumpSize): Promise<DumpStep> {
  const text = 'x'.repeat(length)
  function* dump(): Generator<string> {
    yield 'OPTION IMPORT;\nINSERT [ '
    for (let n = 0; n < rows; n++) yield `${n === 0 ? '' : ', '}{ id: row:${n}, n: ${n}, text: '${text}' }`
    yield ' ];\n'
  }
  return await importRows(server, { rows, length }, () => Readable.from(dump(), { highWaterMark: 1 }))
}

/** Into a database of its own; throws if what is there then are not these rows. */
async function importRows(server: TestServer, { rows, length }: DumpSize, dump: () => Readable): Promise<DumpStep> {
  await using target = await inDatabase(server, 'target')
  const step = await measured(server, () => importFrom(server, 'target', dump()))
  const sum = 'SELECT count() AS rows, math::sum(n) AS sum, math::sum(string::len(text)) AS length FROM row GROUP ALL'
  const [found] = await target.query(sum)
  expect(found).toEqual([{ rows, sum: (rows * (rows - 1)) / 2, length: rows * length }])
  return step
}

async function inDatabase(server: TestServer, name: string): Promise<RawClient> {
  const client = await RawClient.root(server.port)
  await client.query(`DEFINE DATABASE ${name}`)
  await client.result('use', ['main', name])
  return client
}

async function measured(server: TestServer, step: () => Promise<void>): Promise<DumpStep> {
  const { pid } = server.child
  // What it was asked for before is given back first.
  const before = await settledMb(pid, 0, QUIET_MS)
  const began = performance.now()
  const peak = await peakMb(pid, step)
  const tookMs = performance.now() - began
  return { tookMs, rssMb: { before, peak, after: await settledMb(pid, before, SETTLES_MS) } }
}

async function exportTo(server: TestServer, database: string, file: string): Promise<void> {
  const { asked, answered } = call(server, 'GET', '/export', database)
  asked.end()
  await pipeline(await answered, createWriteStream(file, { mode: 0o600 }))
}

async function importFrom(server: TestServer, database: string, dump: Readable): Promise<void> {
  const { asked, answered } = call(server, 'POST', '/import', database)
  await pipeline(dump, asked)
  const response = (await answered).resume()
  if (!response.readableEnded) await once(response, 'end')
}

function call({ port }: TestServer, method: string, path: string, database: string): Call {
  const headers = { ...asRoot, 'surreal-ns': 'main', 'surreal-db': database, accept: 'application/octet-stream' }
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('error', reject)
    asked.once('response', (response) => {
      if (response.statusCode === 200) resolve(response)
      else reject(new Error(`${path} was answered with ${response.statusCode}`))
    })
  })
  // Whoever sends the request awaits it only afterwards.
  answered.catch(() => {})
  return { asked, answered }
}

interface Call {
  readonly asked: ClientRequest
  readonly answered: Promise<IncomingMessage>
}
