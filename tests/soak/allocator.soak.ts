// What it does that the C library of a server is told how to hand out memory (packages/lifecycle/src/drivers/allocator.ts): servers of both kinds side
// by side that were told nothing, a part, or all of it, asked by turns. Their memory is a fact, times are ratios of this run.
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { embeddedSurreal } from '@procref/embedded'
import { allocatorEnvironment } from '@procref/lifecycle'
import { freshDir, ownMemory } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { medianOf } from '../../benchmarks/src/statistics.ts'
import { RawClient } from '../../packages/embedded/test/raw-client.ts'
import {
  type EmbeddedOptions,
  PASSWORD,
  startEmbedded,
  startReal,
  type TestServer,
  USER,
} from '../../packages/embedded/test/server.ts'

const SIGN_INS = 200
const ROUNDS = 12
const QUERIES = 2_000
const WRITES = 400
const IN_FLIGHT = 16
/** What a sign-in takes for a moment. */
const SIGN_IN_MB = 19
const LIMIT_MS = 1_800_000

interface Contestant {
  readonly kind: TestServer['kind']
  readonly told: string
  readonly server: TestServer
  readonly client: RawClient
  readonly beforeMb: number
  readonly signInMs: number[]
  readonly queriesMs: number[]
  readonly writesMs: number[]
  signedInMb: number
}

const KINDS = {
  embedded: { start: startEmbedded, all: embeddedSurreal().guardianEnvironment ?? {} },
  real: { start: startReal, all: allocatorEnvironment() },
} as const

const results: object[] = []

test.each(Object.entries(KINDS))(
  '%s: what it does to memory and time that the C library is told how to hand out memory',
  {
    timeout: LIMIT_MS,
  },
  async (kind, { start, all }) => {
    const contestants: Contestant[] = []
    onTestFinished(async () => {
      for (const { client, server } of contestants) {
        await client[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      }
    })
    for (const [told, allocator] of Object.entries(tellings(all))) {
      const options: EmbeddedOptions = { storage: 'rocksdb', databaseDir: `${freshDir()}/db`, allocator }
      const server = await start(options)
      if (server === undefined) return
      const client = await RawClient.root(server.port)
      const times = { signInMs: [], queriesMs: [], writesMs: [] }
      contestants.push({ kind: server.kind, told, server, client, beforeMb: memoryOf(server), signedInMb: 0, ...times })
    }
    for (const { client } of contestants) await client.query('DEFINE TABLE kept')
    await byTurns(SIGN_INS, contestants, async ({ server, signInMs }) => {
      await using client = await RawClient.connect(server.port)
      signInMs.push(await timed(() => client.result('signin', [{ user: USER, pass: PASSWORD }])))
    })
    for (const one of contestants) one.signedInMb = memoryOf(one.server)
    let n = 0
    await byTurns(ROUNDS, contestants, async ({ client, queriesMs, writesMs }) => {
      queriesMs.push(await timed(() => manyAtOnce(QUERIES, () => client.query('RETURN $n + 1', { n: n++ }))))
      const write = `CREATE type::record("kept", $n) SET text = "${'x'.repeat(200)}"`
      writesMs.push(await timed(() => manyAtOnce(WRITES, () => client.query(write, { n: n++ }))))
    })
    for (const { told, beforeMb, signedInMb, server, ...times } of contestants) {
      const ms = {
        signInMs: medianOf(times.signInMs),
        queriesMs: medianOf(times.queriesMs),
        writesMs: medianOf(times.writesMs),
      }
      results.push({ kind, told, beforeMb, signedInMb, endMb: memoryOf(server), ...ms })
    }
    save()
    const asItIs = contestants.at(-1)
    expect((asItIs?.signedInMb ?? Number.NaN) - (asItIs?.beforeMb ?? 0)).toBeLessThan(2 * SIGN_IN_MB)
  },
)

/** From nothing to all that procref tells it. */
function tellings({ GLIBC_TUNABLES: all = '' }: NodeJS.ProcessEnv): Record<string, NodeJS.ProcessEnv> {
  const only = (pattern: RegExp): NodeJS.ProcessEnv => ({
    GLIBC_TUNABLES: all
      .split(':')
      .filter((one) => pattern.test(one))
      .join(':'),
  })
  return { nothing: only(/^$/), 'all but huge pages': only(/^(?!glibc\.malloc\.hugetlb)/), all: only(/./) }
}

/** In the other order each second time. */
async function byTurns(
  times: number,
  contestants: readonly Contestant[],
  act: (one: Contestant) => Promise<void>,
): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    for (const one of turn % 2 === 0 ? contestants : contestants.toReversed()) await act(one)
  }
}

async function manyAtOnce(count: number, ask: () => Promise<unknown>): Promise<void> {
  let left = count
  const some = Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await ask()
  })
  await Promise.all(some)
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await act()
  return performance.now() - began
}

function memoryOf({ child }: TestServer): number {
  return ownMemory(child.pid) / 1024 / 1024
}

function save(): void {
  const machine = { node: process.version, kernel: release(), cores: cpus().length, model: cpus()[0]?.model }
  const report = { date: new Date().toISOString(), machine, load: loadavg()[0], results }
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 100) / 100 : value
  writeFileSync(new URL('./results/allocator.json', import.meta.url), `${JSON.stringify(report, rounded, 1)}\n`)
}
