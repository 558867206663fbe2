// What sharing a server costs: cold connect, warm connect as a ratio to the bare SDK's connect to the same server, memory of
// guardian and server, and how often the idle guardian wakes up. Linux, with a real `surreal`. Prints one JSON document, and
// with `--save` writes it to results/lifecycle.json, from which `readme.mjs` makes the README's table.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { connect } from 'procref'
import { Surreal } from 'surrealdb'
import WebSocket from 'ws'
import { median, rounded } from './statistics.mjs'

const COLD_ROUNDS = 5
const WARM_ROUNDS = 40
const IDLE_MS = 20_000
/** Longer than any honest stop: reaching it means that a server was left behind. */
const HANGS_MS = 30_000

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
try {
  // Both sides load the SDK before anything is measured.
  const cold = []
  for (let round = 0; round <= COLD_ROUNDS; round++) {
    const took = await coldConnect(join(home, `cold-${round}`))
    if (round > 0) cold.push(took)
  }
  const { warm, bare, ...idle } = await shared(join(home, 'shared'))
  const result = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Linux, Node ${process.versions.node}`,
    server: idle.version,
    coldConnectMs: median(cold),
    warmConnectMs: median(warm),
    bareConnectMs: median(bare),
    warmToBare: median(warm.map((took, round) => took / bare[round])),
    guardianRssMb: idle.guardianRssMb,
    serverRssMb: idle.serverRssMb,
    guardianWakeUpsPerSecond: idle.guardianWakeUpsPerSecond,
  }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/lifecycle.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function coldConnect(dir) {
  const began = performance.now()
  const lease = await connect({ dir, lingerMs: 0 })
  const took = performance.now() - began
  await endOf(lease)
  return took
}

async function shared(dir) {
  const lease = await connect({ dir, lingerMs: 0 })
  const { user, password } = JSON.parse(readFileSync(join(dir, 'data/credentials.json'), 'utf8'))
  const warm = []
  const bare = []
  // In turns, so that whatever else the machine does meets both.
  for (let round = -3; round < WARM_ROUNDS; round++) {
    const own = await timed(async () => {
      const second = await connect({ dir, lingerMs: 0 })
      return () => second.close()
    })
    const direct = await timed(async () => {
      const db = new Surreal({ websocketImpl: WebSocket })
      await db.connect(lease.url, {
        namespace: 'main',
        database: 'main',
        versionCheck: false,
        authentication: { username: user, password },
      })
      return () => db.close()
    })
    if (round < 0) continue
    warm.push(own)
    bare.push(direct)
  }
  const { guardianPid, pid, version } = lease.server
  const before = wakeUps(guardianPid)
  await after(IDLE_MS)
  const guardianWakeUpsPerSecond = ((wakeUps(guardianPid) - before) * 1000) / IDLE_MS
  const result = {
    warm,
    bare,
    version,
    guardianWakeUpsPerSecond,
    guardianRssMb: rssMb(guardianPid),
    serverRssMb: rssMb(pid),
  }
  await endOf(lease)
  return result
}

async function timed(open) {
  const began = performance.now()
  const close = await open()
  const took = performance.now() - began
  await close()
  return took
}

/** Closes the last lease and waits until guardian and server are gone, so that rounds do not meet. */
async function endOf(lease) {
  const pids = [lease.server.pid, lease.server.guardianPid]
  await lease.close()
  for (const deadline = performance.now() + HANGS_MS; pids.some(isAlive); await after(20)) {
    if (performance.now() > deadline) throw new Error(`guardian and server (pids ${pids.join(', ')}) did not end`)
  }
}

function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    return false
  }
}

/** How often all threads of a process gave up the processor and were woken again. */
function wakeUps(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(field(`/proc/${pid}/task/${thread}/status`, 'voluntary_ctxt_switches')))
    .reduce((sum, count) => sum + count, 0)
}

function rssMb(pid) {
  return Number(field(`/proc/${pid}/status`, 'VmRSS').replace(' kB', '')) / 1024
}

function field(file, name) {
  const value = readFileSync(file, 'utf8').match(new RegExp(`^${name}:\\s+(.*)$`, 'm'))?.[1]
  if (value === undefined) throw new Error(`${file} has no ${name}`)
  return value
}
