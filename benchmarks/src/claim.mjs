// One claim and its release, through each backend's whole pool, as a ratio to the same system calls in a C loop. One run measures
// all, in turns, so that whatever else the machine does meets all: compare the ratios of one run, never times between runs.
// Prints one JSON document; `--save` also writes results/claim.json, from which `readme.mjs` makes its part of the README.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFloor } from './floor.mjs'
import { machine } from './machine.mjs'
import { median, rounded } from './statistics.mjs'

const TURNS = 5
const ROUNDS = 100_000
/** Each is measured in a process of its own: what one leaves behind in the heap must not slow the next. */
const SUBJECTS = ['native', 'hybrid', 'flock', 'fs-ext']
const SUBJECT = fileURLToPath(new URL('./claim-subject.mjs', import.meta.url))

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
try {
  const floor = compileFloor('claim')
  const measured = { floor: [], ...Object.fromEntries(SUBJECTS.map((subject) => [subject, []])) }
  for (let turn = 0; turn < TURNS; turn++) {
    measured.floor.push(run(floor, [join(home, 'floor.lock'), String(ROUNDS)]))
    for (const subject of SUBJECTS) {
      measured[subject].push(run(process.execPath, [SUBJECT, subject, join(home, subject), String(ROUNDS)]))
    }
  }
  // Turn by turn, then the median: both sides of a ratio met the same minute.
  const ratios = (what) =>
    mapValues(measured, (turns) => median(turns.map((values, turn) => values[what] / measured.floor[turn][what])))
  const result = {
    ...machine(),
    rounds: ROUNDS,
    turns: TURNS,
    microseconds: mapValues(measured, (turns) => median(turns.map(({ took }) => took)) / 1000),
    ratioToFloor: ratios('took'),
    // Where others want the processor as well, this says more: the time that others had is not in it. (The garbage collector's
    // threads are.)
    ratioOfProcessorTime: ratios('used'),
  }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/claim.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  rmSync(home, { recursive: true, force: true })
}

function run(file, args) {
  const printed = execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const [took, used] = printed.split(' ').map(Number)
  return { took, used }
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}
