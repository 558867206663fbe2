// What a claim costs in pools of ofdRange() of several sizes, empty, half full and nearly full, as ratios to 100 slots; and what it
// costs to find a free slot in a nearly full pool by trying one after the other instead. Several processes fill the pools; one
// process a turn measures all of them, so that whatever else the machine does meets all. Prints one JSON document; `--save`
// also writes results/ofd-range.json. Linux.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFloor } from './floor.mjs'
import { machine } from './machine.mjs'
import { startProgram } from './program.mjs'
import { median, rounded } from './statistics.mjs'

const TURNS = 5
const HOLDERS = 4
const SIZES = [100, 1_000, 10_000, 100_000]
/** The largest pool of slot files. */
const MAX_FILES = 10_000
const FREE_SHARES = { empty: 1, halfFull: 0.5, nearlyFull: 0.01 }
const SLOTS_A_FILE = 128
const BESIDE = [0, 32, 64, 128, 256, 512, 1_024]
const program = (name) => fileURLToPath(new URL(name, import.meta.url))

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
const floor = compileFloor('ofd')
const holders = Array.from({ length: HOLDERS }, () => startProgram(process.execPath, [program('ofd-range-holder.mjs')]))
try {
  const places = []
  for (const slots of SIZES) {
    for (const fill of Object.keys(FREE_SHARES)) places.push(await filled('ofdRange', slots, fill))
    if (slots <= MAX_FILES) places.push(await filled('native', slots, 'nearlyFull'))
  }
  const turns = []
  for (let turn = 0; turn < TURNS; turn++) turns.push(measure(places))
  const result = {
    ...machine(),
    turns: TURNS,
    holders: HOLDERS,
    microseconds: Object.fromEntries(Object.keys(FREE_SHARES).map((fill) => [fill, bySize(turns, fill, microseconds)])),
    ratioTo100Slots: Object.fromEntries(
      Object.keys(FREE_SHARES).map((fill) => [fill, bySize(turns, fill, ratioTo100)]),
    ),
    scanningToFirstClaim: Object.fromEntries(SIZES.map((slots) => [slots, scanRatios(turns, slots)])),
    lockBesideOthersInOneFileNs: Object.fromEntries(BESIDE.map((locks) => [locks, beside(locks)])),
  }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/ofd-range.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  for (const holder of holders) await holder.end()
  rmSync(home, { recursive: true, force: true })
}

/** A pool of which the holders have all slots but the free share, scattered; in an empty one they were, once, and released all. */
async function filled(backend, slots, fill) {
  const dir = join(home, `${backend}-${slots}-${fill}`)
  const free = Math.round(slots * FREE_SHARES[fill])
  for (const [n, holder] of holders.entries()) {
    const claim = share(slots, n)
    holder.send(`${backend} ${dir} ${slots} ${claim} ${share(free, n)}`)
    // One after the other makes the pool.
    if (n === 0) await holder.answer('held')
  }
  for (const holder of holders.slice(1)) await holder.answer('held')
  return { backend, dir, slots, fill }
}

/** The part of `total` that falls to holder `n`. */
function share(total, n) {
  return Math.floor((total * (n + 1)) / HOLDERS) - Math.floor((total * n) / HOLDERS)
}

/** One turn: a list of { slots, fill, pool, bare, first, cScan } or { slots, fill, fileScan }, in nanoseconds. */
function measure(places) {
  const shuffled = places
    .map((place) => [Math.random(), place])
    .toSorted(([a], [b]) => a - b)
    .map(([, place]) => place)
  const measured = JSON.parse(run(process.execPath, [program('ofd-range-subject.mjs'), JSON.stringify(shuffled)]))
  return shuffled.map(({ backend, dir, slots, fill }, n) => {
    const scanned = backend === 'ofdRange' && fill === 'nearlyFull'
    const cScan = scanned ? { cScan: Number(run(floor, ['scan', dir, slots, SLOTS_A_FILE, 2_000].map(String))) } : {}
    return { slots, fill, ...measured[n], ...cScan }
  })
}

function bySize(turns, fill, of) {
  const metrics = ['pool', 'bare', 'first']
  const values = (slots) =>
    metrics.map((metric) => [metric, median(turns.map((turn) => of(turn, slots, fill, metric)))])
  return Object.fromEntries(SIZES.map((slots) => [slots, Object.fromEntries(values(slots))]))
}

function microseconds(turn, slots, fill, metric) {
  return found(turn, slots, fill, metric) / 1000
}

/** Within one turn: both sides met the same minute. */
function ratioTo100(turn, slots, fill, metric) {
  return found(turn, slots, fill, metric) / found(turn, 100, fill, metric)
}

function scanRatios(turns, slots) {
  const ratio = (metric) =>
    median(turns.map((turn) => found(turn, slots, 'nearlyFull', metric) / found(turn, slots, 'nearlyFull', 'first')))
  return { cScan: ratio('cScan'), ...(slots <= MAX_FILES ? { fileScan: ratio('fileScan') } : {}) }
}

function found(turn, slots, fill, metric) {
  return turn.find((place) => place.slots === slots && place.fill === fill && metric in place)[metric]
}

function beside(locks) {
  const once = () => Number(run(floor, ['beside', join(home, `beside-${locks}`), String(locks), '20000']))
  return median(Array.from({ length: TURNS }, once))
}

function run(file, args) {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
