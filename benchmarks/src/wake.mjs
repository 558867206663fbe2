// How soon a waiter has the slot of a holder that was killed, and what it costs that many wait. One run measures both kinds of
// waiters in turns: a claim of native() in a Node process, and flock(2) in C, which is the floor. Prints one JSON document;
// `--save` also writes results/wake.json. Linux: that a waiter waits is read from /proc/locks.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compileFloor } from './floor.mjs'
import { machine } from './machine.mjs'
import { startProgram } from './program.mjs'
import { median, quantile, rounded } from './statistics.mjs'

const KILLS = 1000
const KILLS_A_TURN = 50
const HERDS = [25, 50, 100, 200]
const HERD_TURNS = 5
const HERD_PROCESSES = 5
const program = (name) => fileURLToPath(new URL(name, import.meta.url))

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
const holder = compileFloor('holder')
const holders = startProgram(holder, [])
try {
  const result = { ...machine(), kills: KILLS, wakeUs: await wake(), herd: await herds() }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/wake.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  await holders.end()
  rmSync(home, { recursive: true, force: true })
}

async function wake() {
  const dir = join(home, 'slots')
  const waiters = {
    native: {
      path: join(dir, 'slot_00.lock'),
      program: startProgram(process.execPath, [program('wake-waiter.mjs'), dir]),
    },
    floor: { path: join(home, 'floor.lock'), program: undefined },
  }
  await waiters.native.program.answer('open')
  const microseconds = { native: [], floor: [] }
  for (let turn = 0; turn < KILLS / KILLS_A_TURN; turn++) {
    for (const [name, waiter] of Object.entries(waiters)) {
      for (let n = 0; n < KILLS_A_TURN; n++) microseconds[name].push(await killOne(waiter))
    }
  }
  await waiters.native.program.end()
  await waiters.floor.program.end()
  return Object.fromEntries(
    Object.entries(microseconds).map(([name, values]) => [
      name,
      { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: Math.max(...values) },
    ]),
  )
}

async function killOne(waiter) {
  const pid = await hold(waiter.path)
  if (waiter.program === undefined) waiter.program = startProgram(holder, [waiter.path])
  else waiter.program.send('wait')
  await waiting(waiter.path, 1)
  const [, sent] = await kill(pid)
  const [got] = await waiter.program.answer('locked')
  return Number(BigInt(got) - BigInt(sent)) / 1000
}

async function hold(path) {
  holders.send(`hold ${path}`)
  const [pid] = await holders.answer('held')
  return pid
}

async function kill(pid) {
  holders.send(`kill ${pid}`)
  return [pid, ...(await holders.answer('killed'))]
}

/** Until so many wait for the lock of this file. */
async function waiting(path, count) {
  const { ino } = statSync(path)
  while (waitersOf(ino) < count) await after(1)
}

function waitersOf(ino) {
  const blocked = new RegExp(`^\\d+: -> FLOCK .*:${ino} `, 'gm')
  return readFileSync('/proc/locks', 'latin1').match(blocked)?.length ?? 0
}

/** Many wait for one slot; its holder is killed, and each that gets it passes it on. */
async function herds() {
  const sizes = {}
  for (const size of HERDS) {
    const turns = []
    for (let turn = 0; turn < HERD_TURNS; turn++) turns.push(await herd(size, join(home, `herd-${size}-${turn}`)))
    sizes[size] = {
      msForAll: median(turns.map(({ ms }) => ms)),
      usPerHandover: median(turns.map(({ ms }) => (ms * 1000) / size)),
      cpuUsPerHandover: median(turns.map(({ cpuUs }) => cpuUs / size)),
      twoAtOnce: turns.reduce((sum, { twoAtOnce }) => sum + twoAtOnce, 0),
    }
  }
  const exponent = (key) => slope(HERDS.map((size) => [Math.log(size), Math.log(sizes[size][key])]))
  // Of what ONE hand-over costs as the number of waiters grows: 0 is none of their business, 1 is linear.
  return { sizes, exponentOfTime: exponent('usPerHandover'), exponentOfCpu: exponent('cpuUsPerHandover') }
}

async function herd(size, dir) {
  const evidence = `${dir}-evidence`
  mkdirSync(evidence)
  const args = [program('wake-herd.mjs'), dir, evidence, String(size / HERD_PROCESSES)]
  const path = join(dir, 'slot_00.lock')
  const first = startProgram(process.execPath, args)
  await first.answer('open')
  const pid = await hold(path)
  const all = [first, ...Array.from({ length: HERD_PROCESSES - 1 }, () => startProgram(process.execPath, args))]
  for (const each of all.slice(1)) await each.answer('open')
  for (const each of all) each.send('wait')
  await waiting(path, size)
  const began = process.hrtime.bigint()
  await kill(pid)
  let [cpuUs, twoAtOnce, last] = [0, 0, began]
  for (const each of all) {
    const [cpu, overlaps, at] = await each.answer('done')
    cpuUs += Number(cpu)
    twoAtOnce += Number(overlaps)
    if (BigInt(at) > last) last = BigInt(at)
  }
  for (const each of all) await each.end()
  return { ms: Number(last - began) / 1e6, cpuUs, twoAtOnce }
}

/** Of the straight line that fits best. */
function slope(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
