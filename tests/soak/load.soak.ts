import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { expect, test } from 'vitest'
import { carry } from '../../packages/embedded/test/load/run.ts'
import { startEmbedded, startReal } from '../../packages/embedded/test/server.ts'

/** Each once on the embedded server and once on the real one, if there is one for tests. */
const BURDENS = (process.env.PROCREF_LOAD ?? '').split(',').filter(Boolean)
const ALL = [
  'nothing',
  'idle connections',
  'queries in flight',
  'long query',
  'four long queries',
  'frame of 100 MB',
  'frame of 100 MB, all numbers',
  'frame of 20 MB in JSON',
  'query of 100 MB',
  'half a frame',
  'slow reader',
]

test('one client is a burden, and the others go on', { timeout: 0 }, async () => {
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const servers: Record<string, unknown[]> = {}
  for (const start of [() => startEmbedded(), () => startReal()]) {
    await using server = await start()
    if (server === undefined) continue
    const results = []
    for (const burden of BURDENS.length > 0 ? BURDENS : ALL) {
      const result = await carry(server, burden)
      console.log(server.kind, JSON.stringify(result, rounded))
      results.push(result)
    }
    servers[server.kind] = results
  }
  expect(servers.embedded).toHaveLength(BURDENS.length || ALL.length)
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, ...servers }
  if (BURDENS.length === 0) writeFileSync(new URL('load.json', folder), `${JSON.stringify(report, rounded, 2)}\n`)
})

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value
}
