import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
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
  const exported = await measured(server, () => transfer(server, 'GET', 'source', file))
  await using target = await inDatabase(server, 'target')
  await target.query('DEFINE TABLE row')
  const imported = await measured(server, () => transfer(server, 'POST', 'target', file))
  const sum = 'SELECT count() AS rows, math::sum(n) AS sum, math::sum(string::len(text)) AS length FROM row GROUP ALL'
  const [found] = (await target.query(sum)) as [readonly { rows: number; sum: number; length: number }[]]
  const { rows: counted, sum: numbers, length: total } = found[0] ?? {}
  if (counted !== rows || numbers !== (rows * (rows - 1)) / 2 || total !== rows * length)
    throw new Error(`imported is ${JSON.stringify(found)}`)
  return { rows, length, megabytes: statSync(file).size / 1024 / 1024, export: exported, import: imported }
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

async function transfer({ port }: TestServer, method: 'GET' | 'POST', database: string, file: string): Promise<void> {
  const path = method === 'GET' ? '/export' : '/import'
  const headers = { ...asRoot, 'surreal-ns': 'main', 'surreal-db': database, accept: 'application/octet-stream' }
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  const answered = new Promise<void>((resolve, reject) => {
    asked.once('error', reject)
    asked.once('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path} was answered with ${response.statusCode}`))
      if (method === 'GET') pipeline(response, createWriteStream(file, { mode: 0o600 })).then(resolve, reject)
      else response.resume().once('end', resolve).once('error', reject)
    })
  })
  if (method === 'GET') asked.end()
  else await pipeline(createReadStream(file), asked)
  await answered
}
