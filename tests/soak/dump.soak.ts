import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import {
  type DumpResult,
  type DumpStep,
  exportAndImport,
  importOneInsert,
} from '../../packages/embedded/test/load/dump.ts'
import { startEmbedded, startReal } from '../../packages/embedded/test/server.ts'

/** A part of the rows, to see whether it works: nothing is written down then. */
const SHARE = Number(process.env.PROCREF_DUMP_SHARE ?? 1)
const SIZES = [
  { rows: 100_000, length: 20 },
  { rows: 10_000, length: 10_000 },
  { rows: 200, length: 1_000_000 },
]
const STORAGES = ['rocksdb', 'memory'] as const

test('databases are exported and imported, by a server of their own each', { timeout: 0 }, async () => {
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const results: (DumpResult & { server: string; storage: string })[] = []
  for (const { rows, length } of SIZES) {
    for (const storage of STORAGES) {
      for (const start of [startEmbedded, startReal]) {
        const dir = freshDir()
        await using server = await start({ storage, databaseDir: join(dir, 'database') })
        if (server === undefined) continue
        const result = await exportAndImport(server, { rows: Math.ceil(rows * SHARE), length }, dir)
        results.push({ server: server.kind, storage, ...result })
        console.log(JSON.stringify(results.at(-1), rounded))
      }
    }
  }
  const size = { rows: Math.ceil(200 * SHARE), length: 1_000_000 }
  const oneInsert: Record<string, DumpStep> = {}
  for (const start of [startEmbedded, startReal]) {
    await using server = await start({ storage: 'rocksdb', databaseDir: join(freshDir(), 'database') })
    if (server === undefined) continue
    oneInsert[server.kind] = await importOneInsert(server, size)
    console.log('one INSERT', server.kind, JSON.stringify(oneInsert[server.kind], rounded))
  }
  expect(results.filter(({ server }) => server === 'embedded')).toHaveLength(SIZES.length * STORAGES.length)
  if (SHARE !== 1) return
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = {
    date: new Date().toISOString(),
    machine,
    load: loadavg()[0],
    results,
    oneInsert: { ...size, ...oneInsert },
  }
  writeFileSync(new URL('dump.json', folder), `${JSON.stringify(report, rounded, 2)}\n`)
})

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value
}
