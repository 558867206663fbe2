// What bounds the ends of the growth curves: where the processors' time goes with one client and with many, in a small and in a large
// database. Linux, with perf(1). Prints one JSON document; `--save` also writes results/bounds.json, from which pages.mjs makes its part of
// docs/benchmarks.md. `--small` tries the program itself: its numbers say nothing.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bounds, End, Role } from './bounds-section.ts'
import { describeMachine } from './machine.ts'
import { perfRecord, printProfile } from './perf.ts'
import type { Service } from './service.ts'
import type { Client } from './service-client/client.ts'
import { embeddedNative } from './services/embedded-native.ts'
import { executableNative } from './services/executable-native.ts'
import { Stage } from './stage.ts'
import { howToHave } from './subject.ts'

const SMALL = process.argv.includes('--small')
const CROWD = SMALL ? 4 : 64
const MEGABYTES = SMALL ? 2 : 1_000
const STARTS = SMALL ? 1 : 5
const FOR_MS = SMALL ? 1_000 : 10_000
const WARM_UP_MS = 500
const ROW_BYTES = 10_000
const ROWS_PER_MB = 100
/** More functions are told of nowhere: what is below is spread thin. */
const FUNCTIONS = 5
const LEAST_SHARE = 0.01

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
const context = { home, signal: new AbortController().signal }
const ends: End[] = []
try {
  for (const service of [embeddedNative, executableNative]) {
    const missing = await service.unavailable(home)
    if (missing !== undefined) throw new Error(`${service.title}: ${howToHave(missing)}`)
    await crowds(service)
    await databases(service)
  }
  const bounds: Bounds = { date: new Date().toISOString(), machine: describeMachine(home), ends }
  printProfile('bounds', bounds)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function crowds(service: Service): Promise<void> {
  await using stage = await Stage.open(context, { service }, { name: 'crowd', storage: 'memory', slots: 256 })
  const clients: Client[] = []
  for (const size of [1, CROWD]) {
    const more = await stage.startAll(size - clients.length)
    const [pids = {}] = await Promise.all(more.map((client) => client.ask('connect')))
    clients.push(...more)
    await Promise.all(clients.map((client) => client.ask('small', 1, WARM_UP_MS)))
    const { result, profile } = await profiled(pids, () =>
      Promise.all(clients.map((client) => client.ask('small', 1, FOR_MS))),
    )
    const count = result.reduce((sum, { queries }) => sum + queries, 0)
    add(service, `small queries, ${size} ${size === 1 ? 'client' : 'clients'}`, count, profile)
  }
}

async function databases(service: Service): Promise<void> {
  await using stage = await Stage.open(context, { service }, { name: 'grown' })
  let filled = 0
  for (const megabytes of [1, MEGABYTES]) {
    const rows = megabytes * ROWS_PER_MB
    const filler = await stage.start()
    await filler.ask('connect')
    await filler.ask('fill', filled, rows, ROW_BYTES, ROWS_PER_MB)
    filled = rows
    await stage.rest()
    const starts = await profiled({}, async () => {
      for (let n = 0; n < STARTS; n++) {
        const client = await stage.start()
        await client.ask('connect')
        await stage.rest()
      }
    })
    add(service, `starts and stops, ${megabytes} MB`, STARTS, starts.profile)
    const reader = await stage.start()
    const pids = await reader.ask('connect')
    await reader.ask('lookup', rows, WARM_UP_MS)
    const reads = await profiled(pids, () => reader.ask('lookup', rows, FOR_MS))
    add(service, `rows by their id, ${megabytes} MB`, reads.result.queries, reads.profile)
    await stage.rest()
  }
}

function add({ title }: Service, end: string, count: number, profile: Profile): void {
  ends.push({ title, end, count, ...profile })
}

type Profile = Pick<End, 'seconds' | 'idle' | 'shares' | 'functions'>

/** Everything that runs on the machine while `act` does, and how much of it does nothing. */
async function profiled<T>(
  pids: { readonly server?: number; readonly guardian?: number },
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly profile: Profile }> {
  const file = join(home, 'perf.data')
  const { result, before, now, seconds } = await perfRecord(file, ['-F', '499'], async () => {
    const [atFirst, began] = [processors(), performance.now()]
    const gave = await act()
    return { result: gave, before: atFirst, now: processors(), seconds: (performance.now() - began) / 1_000 }
  })
  // What perf calls a pid is the id of a thread.
  const [server, guardian] = [threadsOf(pids.server), threadsOf(pids.guardian)]
  const roleOf = (thread: number): Role =>
    server.has(thread) ? 'server' : guardian.has(thread) ? 'guardian' : 'others'
  return {
    result,
    profile: {
      seconds,
      idle: (now.idle - before.idle) / (now.all - before.all),
      shares: sharesIn(samplesIn(file, 'pid,comm,dso'), roleOf),
      functions: functionsIn(samplesIn(file, 'pid,comm,dso,symbol'), roleOf),
    },
  }
}

function threadsOf(pid: number | undefined): ReadonlySet<number> {
  return new Set(pid === undefined ? [] : readdirSync(`/proc/${pid}/task`).map(Number))
}

interface Samples {
  readonly share: number
  readonly thread: number
  readonly name: string
  readonly library: string
  readonly symbol: string
}

function samplesIn(file: string, sort: string): readonly Samples[] {
  const args = ['report', '-i', file, '--stdio', '-q', '--sort', sort, '-F', `overhead,${sort}`, '-t', '\t']
  const text = execFileSync('perf', args, { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] })
  return text
    .split('\n')
    .map((line) => line.split('\t').map((cell) => cell.trim()))
    .filter(([share = '']) => /^[\d.]+%$/.test(share))
    .map(([share = '', thread = '', name = '', library = '', symbol = '']) => ({
      share: Number.parseFloat(share) / 100,
      thread: Number.parseInt(thread, 10),
      name,
      library,
      symbol,
    }))
    .filter(({ name }) => !/^(swapper|perf)$/.test(name))
}

/** Of the busy time. */
function sharesIn(rows: readonly Samples[], roleOf: (thread: number) => Role): End['shares'] {
  const whereOf = (library: string): string =>
    library.startsWith('[kernel') ? 'kernel' : library.startsWith('[JIT]') ? 'compiled JavaScript' : library
  const sums = summed(rows, ({ thread, library }) => ({ role: roleOf(thread), where: whereOf(library) }))
  return sums.filter(({ share }) => share >= LEAST_SHARE)
}

/** Of all threads of a role together. */
function functionsIn(rows: readonly Samples[], roleOf: (thread: number) => Role): End['functions'] {
  const sums = summed(rows, ({ thread, library, symbol }) => ({ role: roleOf(thread), library, symbol }))
  return sums.slice(0, FUNCTIONS)
}

/** Those that are called the same together, as parts of all, the largest first. */
function summed<K extends object>(
  rows: readonly Samples[],
  nameOf: (row: Samples) => K,
): readonly (K & { readonly share: number })[] {
  const all = rows.reduce((sum, { share }) => sum + share, 0)
  const sums = new Map<string, K & { share: number }>()
  for (const row of rows) {
    const name = nameOf(row)
    const key = JSON.stringify(name)
    const sum = sums.get(key) ?? { ...name, share: 0 }
    sum.share += row.share / all
    sums.set(key, sum)
  }
  return [...sums.values()].toSorted((a, b) => b.share - a.share)
}

/** proc_stat(5): idle, and waiting for a disk. */
function processors(): { readonly idle: number; readonly all: number } {
  const [first = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  const numbers = first.split(/\s+/).slice(1, 9).map(Number)
  const [, , , idle = 0, waiting = 0] = numbers
  return { idle: idle + waiting, all: numbers.reduce((sum, one) => sum + one, 0) }
}
