// How soon a waiter has the slot of a holder that was killed, and what it costs that many wait. Prints one JSON document; `--save`
// also writes results/wake.json. Linux: who waits for a lock and who has it is read from /proc/locks.
//
// Kills: one run measures all kinds of waiters in turns: a claim in a Node process through native(), or through flock(), which can
// only look now and then, and flock(2) in C, which is the floor.
//
// Herd: N pools in a few processes wait for one slot. The holder is killed: one of them has to win, and it has to be the one that the
// kernel names. Then each passes the slot on, until all have had it. If more than one were woken each time, the time and the processor
// that one hand-over takes would grow with N.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compileFloor } from './floor.mjs'
import { machine } from './machine.mjs'
import { startProgram } from './program.mjs'
import { median, quantile, rounded } from './statistics.mjs'

const KILLS = 1000
/** So many for those who look now and then: each takes a hundred times as long. */
const POLLED_KILLS = 60
const TURNS = 20
/** The holder is killed up to so long after the wait began, or all kills would meet the same point of the claim's own timers. */
const PAUSE_MS = { floor: 20, native: 20, nativeOf100: 20, flock: 400 }
const HERDS = [25, 50, 100, 200]
const HERD_TURNS = 10
const HERD_PROCESSES = 5
/** Whoever has waited for a second looks by itself only about once in the next one. */
const SETTLED_MS = 1000
/** Whoever else believes to have won has said so by then. */
const QUIET_MS = 50
const program = (name) => fileURLToPath(new URL(name, import.meta.url))

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
const holder = compileFloor('holder')
const holders = startProgram(holder, [])
try {
  const result = { ...machine(), load: loadavg()[0], wakeUs: await wake(), herd: await herds() }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/wake.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  await holders.end()
  rmSync(home, { recursive: true, force: true })
}

async function wake() {
  const waiters = [
    await poolWaiter('native', 1),
    await poolWaiter('native', 100),
    await poolWaiter('flock', 1),
    { name: 'floor', path: join(home, 'floor.lock') },
  ]
  const microseconds = Object.fromEntries(waiters.map(({ name }) => [name, []]))
  for (let turn = 0; turn < TURNS; turn++) {
    for (const waiter of waiters) {
      const kills = (waiter.name === 'flock' ? POLLED_KILLS : KILLS) / TURNS
      for (let n = 0; n < kills; n++) microseconds[waiter.name].push(await killOne(waiter))
    }
  }
  for (const waiter of waiters) await waiter.program.end()
  return mapValues(microseconds, (values) => ({
    kills: values.length,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    max: Math.max(...values),
  }))
}

/** Waits for a slot of a pool that is full: a claim waits for all slots, whichever is freed. */
async function poolWaiter(backend, slots) {
  const name = slots === 1 ? backend : `${backend}Of${slots}`
  const dir = join(home, name)
  const path = join(dir, 'slot_00.lock')
  const waiter = startProgram(process.execPath, [program('wake-waiter.mjs'), backend, dir, String(slots)])
  await waiter.answer('open')
  const pid = await hold(path)
  waiter.send('fill')
  await waiter.answer('full')
  await kill(pid)
  return { name, path, program: waiter }
}

async function killOne(waiter) {
  const pid = await hold(waiter.path)
  // The one in C waits as soon as it runs.
  if (waiter.program === undefined) waiter.program = startProgram(holder, [waiter.path])
  else waiter.program.send('wait')
  if (waiter.name !== 'floor') await waiter.program.answer('waiting')
  if (waiter.name !== 'flock') await waiting(waiter.path, 1)
  await after(Math.random() * PAUSE_MS[waiter.name])
  const sent = await kill(pid)
  const [got] = await waiter.program.answer('locked')
  return microsecondsBetween(sent, got)
}

async function hold(path) {
  holders.send(`hold ${path}`)
  const [pid] = await holders.answer('held')
  return pid
}

/** When the signal was sent. */
async function kill(pid) {
  holders.send(`kill ${pid}`)
  const [sent] = await holders.answer('killed')
  return sent
}

/** Until so many wait for the lock of this file. */
async function waiting(path, count) {
  while (locksOf(path).waiting.length < count) await after(1)
}

/** The processes that wait for the lock of this file, and those that have it. */
function locksOf(path) {
  const { ino } = statSync(path)
  // `7: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`, with `->` before FLOCK if it waits.
  const lines = readFileSync('/proc/locks', 'latin1').matchAll(
    new RegExp(`^\\d+: *(->|) *FLOCK +ADVISORY +\\w+ +(\\d+) \\S+:${ino} `, 'gm'),
  )
  const locks = [...lines].map(([, arrow, pid]) => ({ isWaiting: arrow === '->', pid: Number(pid) }))
  const pids = (isWaiting) => locks.filter((lock) => lock.isWaiting === isWaiting).map(({ pid }) => pid)
  return { waiting: pids(true), holding: pids(false) }
}

async function herds() {
  const dir = join(home, 'herd')
  const evidence = join(home, 'herd-evidence')
  const each = Math.max(...HERDS) / HERD_PROCESSES
  const all = []
  for (let n = 0; n < HERD_PROCESSES; n++) {
    all.push(startProgram(process.execPath, [program('wake-herd.mjs'), dir, evidence, String(each)]))
    await all[n].answer('open')
  }
  const turns = Object.fromEntries(HERDS.map((size) => [size, []]))
  for (let turn = 0; turn < HERD_TURNS; turn++) {
    for (const size of HERDS) turns[size].push(await herd(all, size, join(dir, 'slot_00.lock')))
  }
  for (const each of all) await each.end()
  const sizes = mapValues(turns, (ofSize) => ({
    kills: ofSize.length,
    winners: ofSize.reduce((sum, { winners }) => sum + winners, 0),
    overlaps: ofSize.reduce((sum, { overlaps }) => sum + overlaps, 0),
    ...Object.fromEntries(
      ['wakeUs', 'usPerHandover', 'cpuUsPerHandover', 'cpuUsPerSecondOfWaiting'].map((key) => [
        key,
        median(ofSize.map((of) => of[key])),
      ]),
    ),
  }))
  const exponent = (key) => slope(HERDS.map((size) => [Math.log(size), Math.log(sizes[size][key])]))
  return {
    processes: HERD_PROCESSES,
    sizes,
    // Of what ONE hand-over costs as the number of waiters grows: 0 is none of their business, 1 is linear.
    exponentOfTime: exponent('usPerHandover'),
    exponentOfCpu: exponent('cpuUsPerHandover'),
  }
}

/** One kill under `size` waiters; throws unless exactly one wins, and it is the one whom the kernel names. */
async function herd(all, size, path) {
  const pid = await hold(path)
  const perProcess = size / HERD_PROCESSES
  for (const each of all) each.send(`claim ${perProcess}`)
  for (const each of all) await each.answer('waiting')
  await waiting(path, size)
  await after(SETTLED_MS)
  const cpuUsPerSecondOfWaiting = await cpuOfASecond(all)

  const sent = await kill(pid)
  let winner
  while (winner === undefined) {
    await after(1)
    const [holding] = locksOf(path).holding
    winner = all.find((each) => each.pid === holding)
  }
  const [won] = await winner.answer('won')
  await after(QUIET_MS)
  const winners = locksOf(path).holding.length

  // A second winner has said so, and its next answer is not `draining`. The first one last: its release begins the chain.
  const states = []
  for (const each of [...all.filter((each) => each !== winner), winner]) {
    each.send('drain')
    const [at, cpu] = await each.answer('draining')
    states.push({ each, at, cpu: Number(cpu) })
  }
  const began = BigInt(states.at(-1).at)
  let [last, cpuUs, overlaps] = [began, 0, 0]
  for (const { each, cpu } of states) {
    const [at, cpuAtEnd, overlapsOfEach] = await each.answer('done')
    cpuUs += Number(cpuAtEnd) - cpu
    overlaps += Number(overlapsOfEach)
    if (BigInt(at) > last) last = BigInt(at)
  }
  const handovers = size - 1
  return {
    winners,
    overlaps,
    wakeUs: microsecondsBetween(sent, won),
    usPerHandover: microsecondsBetween(began, last) / handovers,
    cpuUsPerHandover: cpuUs / handovers,
    cpuUsPerSecondOfWaiting,
  }
}

/** The microseconds of processor that all take in a second in which nothing happens. */
async function cpuOfASecond(all) {
  const began = performance.now()
  const before = await cpuOf(all)
  await after(1000)
  return (((await cpuOf(all)) - before) * 1000) / (performance.now() - began)
}

async function cpuOf(all) {
  for (const each of all) each.send('cpu')
  let sum = 0
  for (const each of all) sum += Number(await each.answer('cpu'))
  return sum
}

function microsecondsBetween(earlier, later) {
  return Number(BigInt(later) - BigInt(earlier)) / 1000
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

/** Of the straight line that fits best. */
function slope(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
