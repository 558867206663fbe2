// What a server keeps of what it is asked to do: the same thing again and again, as often as a day of churn has visits, and its memory meanwhile. By
// clients of the embedded server and of the real one, and by the engine alone. PROCREF_SOAK_ACTS and PROCREF_SOAK_OF choose (with commas),
// PROCREF_SOAK_TIMES says how often. The result is written after every look.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { type ActName, byClients, byEngineAlone, type Doer } from '../../packages/embedded/test/load/acts.ts'
import { startEmbedded, startReal } from '../../packages/embedded/test/server.ts'
import { type Footprint, footprintOf, sizesOf } from '../service/footprint.ts'

const TIMES: Readonly<Record<ActName, number>> = {
  connections: 10_000,
  'sign-ins': 2_000,
  queries: 40_000,
  writes: 40_000,
  'long writes': 20_000,
  // With a pause of 8 s and 2 s for each: those of 24 hours.
  visits: 8_640,
}
const LOOKS = 20
const chosen = (variable: string, all: readonly string[]): readonly string[] => process.env[variable]?.split(',') ?? all

interface JavaScriptMemory {
  readonly heapMb: number
  readonly usedMb: number
  readonly externalMb: number
  readonly buffersMb: number
}

interface Look extends Footprint, Partial<JavaScriptMemory> {
  readonly done: number
  /** What was written to the disk, compacted or not. */
  readonly databaseMb: number
}

interface Series {
  readonly act: string
  readonly of: string
  readonly looks: Look[]
  /** After V8 was told to collect all garbage. */
  collected?: Look
  tookS: number
}

const results: Series[] = []

const DOERS: Readonly<Record<string, (act: ActName, dir: string) => Promise<Doer | undefined>>> = {
  embedded: async (act, dir) => {
    const server = await startEmbedded({ storage: 'rocksdb', databaseDir: `${dir}/data/db` })
    return withServer(server, await byClients(server, act))
  },
  real: async (act, dir) => {
    const server = await startReal({ storage: 'rocksdb', databaseDir: `${dir}/data/db` })
    return server && withServer(server, await byClients(server, act))
  },
  'engine alone': (act, dir) => byEngineAlone(act, `rocksdb://${dir}/data/db?sync=every`),
  // So that what its storage keeps of what was written comes to its end within the run: four times two mebibytes.
  'engine alone with small buffers': async (act, dir) =>
    act === 'long writes' ? await byEngineAlone(act, `rocksdb://${dir}/data/db?sync=every`, SMALL_BUFFERS) : undefined,
}

const SMALL_BUFFERS = {
  SURREAL_ROCKSDB_WRITE_BUFFER_SIZE: String(2 * 1024 * 1024),
  SURREAL_ROCKSDB_MAX_WRITE_BUFFER_NUMBER: '4',
}

function withServer(server: AsyncDisposable, doer: Doer): Doer {
  return {
    ...doer,
    async [Symbol.asyncDispose]() {
      await doer[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

for (const act of chosen('PROCREF_SOAK_ACTS', Object.keys(TIMES)) as readonly ActName[]) {
  const times = Number(process.env.PROCREF_SOAK_TIMES ?? TIMES[act])
  test.each(chosen('PROCREF_SOAK_OF', Object.keys(DOERS)))(
    `${act}, again and again: what %s keeps of them`,
    {
      timeout: 0,
    },
    async (of) => {
      const dir = freshDir()
      mkdirSync(`${dir}/data`)
      await using doer = await DOERS[of]?.(act, dir)
      if (doer === undefined) return
      const series: Series = { act, of, looks: [], tookS: 0 }
      results.push(series)
      const began = performance.now()
      for (let hundreds = 0; hundreds <= times / 100; hundreds++) {
        if (hundreds > 0) await doer.hundred()
        // Often in the beginning, where what is made once is made.
        const isDue = hundreds <= 3 || hundreds % Math.ceil(times / 100 / LOOKS) === 0
        if (!isDue) continue
        series.looks.push(await look(doer, dir, of, hundreds * 100, 'memory'))
        series.tookS = Math.round((performance.now() - began) / 1000)
        save()
      }
      if (of !== 'real') series.collected = await look(doer, dir, of, times, 'collected')
      save()
      expect(series.looks.length).toBeGreaterThan(1)
    },
  )
}

async function look(
  { child }: Doer,
  dir: string,
  of: string,
  done: number,
  what: 'memory' | 'collected',
): Promise<Look> {
  const databaseMb = sizesOf(dir).databaseBytes / 1024 / 1024
  if (of === 'real') return { done, databaseMb, ...footprintOf(child.pid) }
  child.send(what === 'memory' ? 'memory' : 'collect')
  const { event: _, ...memory } = await child.event<JavaScriptMemory>(what)
  const seen = { done, databaseMb, ...footprintOf(child.pid), ...memory }
  console.log(of, JSON.stringify(seen, rounded))
  return seen
}

function save(): void {
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, load: loadavg()[0], results }
  writeFileSync(new URL('memory.json', folder), `${JSON.stringify(report, rounded, 1)}\n`)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
