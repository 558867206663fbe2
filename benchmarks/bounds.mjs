// What bounds the ends of the growth curves: where the processors' time goes with one client and with many, in a small and in a large
// database. Linux, with perf(1). Prints one JSON document; `--save` also writes results/bounds.json, from which pages.mjs makes its part of
// docs/benchmarks.md. `--small` tries the program itself: its numbers say nothing.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { describeMachine } from './dist/machine.js'
import { embeddedNative } from './dist/services/embedded-native.js'
import { executableNative } from './dist/services/executable-native.js'
import { Stage } from './dist/stage.js'

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

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
const context = { home, signal: new AbortController().signal }
try {
  const ends = []
  for (const service of [embeddedNative, executableNative]) {
    const missing = await service.unavailable(home)
    if (missing !== undefined) throw new Error(`${service.title}: ${missing.reason}. ${missing.remedy}`)
    const told = (end) => (found) => ends.push({ service: service.name, title: service.title, end, ...found })
    await crowds(service, told)
    await databases(service, told)
  }
  const machine = describeMachine(home)
  const text = `${JSON.stringify({ date: new Date().toISOString(), machine, ends }, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('results/bounds.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function crowds(service, told) {
  await using stage = await Stage.open(context, { service }, { name: 'crowd', storage: 'memory', slots: 256 })
  const clients = []
  let pids
  for (const size of [1, CROWD]) {
    const more = await stage.startAll(size - clients.length)
    for (const answer of await Promise.all(more.map((client) => client.ask('connect')))) pids = answer
    clients.push(...more)
    await Promise.all(clients.map((client) => client.ask('small', 1, WARM_UP_MS)))
    const watched = await profiled(
      () => Promise.all(clients.map((client) => client.ask('small', 1, FOR_MS))),
      () => pids,
    )
    const queries = watched.result.reduce((sum, one) => sum + one.queries, 0)
    told(`small queries, ${size} ${size === 1 ? 'client' : 'clients'}`)({ queries, ...watched.found })
  }
}

async function databases(service, told) {
  await using stage = await Stage.open(context, { service }, { name: 'grown' })
  let filled = 0
  for (const megabytes of [1, MEGABYTES]) {
    const rows = megabytes * ROWS_PER_MB
    const filler = await stage.start()
    await filler.ask('connect')
    await filler.ask('fill', filled, rows, ROW_BYTES, ROWS_PER_MB)
    filled = rows
    await stage.rest()
    let pids
    const starts = await profiled(
      async () => {
        for (let n = 0; n < STARTS; n++) {
          const client = await stage.start()
          pids = await client.ask('connect')
          // The last one stays, for its pids to be told apart.
          if (n < STARTS - 1) await stage.rest()
        }
        return STARTS
      },
      () => ({}),
    )
    told(`starts, ${megabytes} MB`)({ queries: starts.result, ...starts.found })
    await stage.rest()
    const reader = await stage.start()
    pids = await reader.ask('connect')
    await reader.ask('lookup', rows, WARM_UP_MS)
    const reads = await profiled(
      () => reader.ask('lookup', rows, FOR_MS),
      () => pids,
    )
    told(`rows by their id, ${megabytes} MB`)({ queries: reads.result.latencyMs.length, ...reads.found })
    await stage.rest()
  }
}

/** Everything that runs on the machine while `act` does, and how much of it does nothing. */
async function profiled(act, pidsOf) {
  const file = join(home, 'perf.data')
  const perf = spawn('perf', ['record', '-q', '-a', '-F', '499', '-o', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  perf.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const exited = once(perf, 'exit')
  await Promise.race([after(1_000), exited])
  if (perf.exitCode !== null) throw new Error(`perf ended at once: ${said}`)
  const [before, began] = [processors(), performance.now()]
  const result = await act()
  const [now, seconds] = [processors(), (performance.now() - began) / 1_000]
  perf.kill('SIGINT')
  await exited
  const { server, guardian } = pidsOf()
  const roleOf = (pid) => (pid === server ? 'server' : pid === guardian ? 'guardian' : 'others')
  return {
    result,
    found: {
      seconds,
      idle: (now.idle - before.idle) / (now.all - before.all),
      shares: sharesIn(report(file, 'pid,comm,dso'), roleOf),
      functions: functionsIn(report(file, 'pid,comm,dso,symbol'), roleOf),
    },
  }
}

function report(file, sort) {
  const args = ['report', '-i', file, '--stdio', '-q', '--sort', sort, '-F', `overhead,${sort}`, '-t', '\t']
  const text = execFileSync('perf', args, { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] })
  return text
    .split('\n')
    .map((line) => line.split('\t').map((cell) => cell.trim()))
    .filter(([share, pid]) => /^[\d.]+%$/.test(share) && pid !== undefined)
    .map(([share, pid, comm, dso, symbol]) => ({
      share: Number.parseFloat(share) / 100,
      pid: Number.parseInt(pid, 10),
      thread: comm,
      library: dso,
      symbol,
    }))
    .filter(({ thread }) => !/^(swapper|perf)$/.test(thread))
}

/** Of the busy time. */
function sharesIn(rows, roleOf) {
  const all = rows.reduce((sum, { share }) => sum + share, 0)
  const sums = new Map()
  for (const { share, pid, library } of rows) {
    const kernel = library.startsWith('[kernel') || library.startsWith('[unknown')
    const key = JSON.stringify({ role: roleOf(pid), where: kernel ? 'kernel' : library })
    sums.set(key, (sums.get(key) ?? 0) + share / all)
  }
  return [...sums]
    .map(([key, share]) => ({ ...JSON.parse(key), share }))
    .filter(({ share }) => share >= 0.01)
    .toSorted((a, b) => b.share - a.share)
}

function functionsIn(rows, roleOf) {
  const all = rows.reduce((sum, { share }) => sum + share, 0)
  return rows
    .toSorted((a, b) => b.share - a.share)
    .slice(0, FUNCTIONS)
    .map(({ share, pid, library, symbol }) => ({ role: roleOf(pid), library, symbol, share: share / all }))
}

/** proc_stat(5): idle, and waiting for a disk. */
function processors() {
  const numbers = readFileSync('/proc/stat', 'latin1').split('\n')[0].split(/\s+/).slice(1, 9).map(Number)
  return { idle: numbers[3] + numbers[4], all: numbers.reduce((sum, one) => sum + one, 0) }
}

function rounded(_key, value) {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value
}
