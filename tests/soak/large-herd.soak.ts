// Two hundred processes call connect() at once on a cold directory, twenty times with each kind of server (PROCREF_SOAK_HERDS and PROCREF_SOAK_HERD_SIZE
// say otherwise). The result is written after every round: a run that is ended early keeps what it has, and with PROCREF_SOAK_CONTINUE=1 the next one goes on with
// what is missing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { test } from 'vitest'
import { expectOneServer, type HerdRound, herdLimitMs, herdRound } from '../service/herd.ts'
import { clientsOf, DRIVERS, type Driver } from '../service/service.ts'

const ROUNDS = Number(process.env.PROCREF_SOAK_HERDS ?? 20)
const SIZE = Number(process.env.PROCREF_SOAK_HERD_SIZE ?? 200)
/** The pool has more than its usual hundred, so that nobody is turned away. */
const SLOTS = Math.max(256, SIZE)

type Result = { readonly driver: Driver; readonly round: number; readonly ok: boolean; readonly load: number } & (
  | HerdRound
  | { readonly error: string }
)

const FILE = new URL('./results/herds.json', import.meta.url)

const results: Result[] = process.env.PROCREF_SOAK_CONTINUE === '1' ? earlierResults() : []
/** In turns: a run that is ended early has as many of each. */
const ALL = Array.from({ length: ROUNDS }, (_, i) => i + 1).flatMap((round) =>
  DRIVERS.map((driver) => [round, driver] as const),
)
const MISSING = ALL.filter(([round, driver]) => !results.some((r) => r.round === round && r.driver === driver))

test.each(MISSING)(
  `round %i: ${SIZE} processes connect at once (%s): one server was ever started, none of them failed`,
  { timeout: 2 * herdLimitMs(SIZE) },
  async (round, driver) => {
    const facts = { driver, round, load: loadavg()[0] ?? 0 }
    const herd = await herdRound(clientsOf(driver), SIZE, { slots: SLOTS }).catch((error) => {
      save({ ...facts, ok: false, error: String(error).split('\n', 1)[0] ?? '' })
      throw error
    })
    let ok = false
    try {
      expectOneServer(herd)
      ok = true
    } finally {
      save({ ...facts, ok, ...herd })
    }
  },
)

function earlierResults(): Result[] {
  const earlier = JSON.parse(readFileSync(FILE, 'utf8'))
  if (earlier.size !== SIZE || earlier.slots !== SLOTS)
    throw new Error(`${FILE.pathname} is about herds of another size`)
  return earlier.results
}

function save(result: Result): void {
  results.push(result)
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const report = { date: new Date().toISOString(), machine, size: SIZE, slots: SLOTS, roundsWanted: ROUNDS, results }
  mkdirSync(new URL('./', FILE), { recursive: true })
  writeFileSync(FILE, `${JSON.stringify(report, null, 1)}\n`)
}
