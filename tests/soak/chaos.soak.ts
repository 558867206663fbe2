import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { canGroup } from '@procref/testing'
import { expect, test } from 'vitest'
import { planOf } from '../chaos/plan.ts'
import { finding } from '../chaos/report.ts'
import type { Outcome } from '../chaos/round.ts'
import { playRounds } from '../chaos/rounds.ts'
import { faketime } from '../chaos/surroundings.ts'
import { DRIVERS, type Driver } from '../service/service.ts'

/** For each kind of server. */
const ROUNDS = Number(process.env.PROCREF_CHAOS_ROUNDS ?? 1_000)
/** Another one plays other rounds. */
const FIRST_SEED = Number(process.env.PROCREF_SOAK_SEED ?? 1_001)
/** So many keep two processors busy. */
const AT_ONCE = Number(process.env.PROCREF_CHAOS_AT_ONCE ?? 5)

const FOLDER = new URL('./results/', import.meta.url)
/** Of rounds in which something was wrong, with all that happened; not committed. */
const FINDINGS = new URL('chaos-findings.txt', FOLDER)

/** Each kind of server has a file of its own, since a run of one takes most of an hour (`-t binary`). */
interface Sum {
  readonly date: string
  readonly machine: { readonly node: string; readonly kernel: string; readonly cores: number }
  readonly firstSeed: number
  readonly wanted: number
  load: number
  readonly driver: Driver
  rounds: number
  /** The seeds of those in which something was wrong. */
  readonly violated: number[]
  clients: number
  servers: number
  acknowledged: number
  rows: number
  seconds: number
  readonly faults: Record<string, number>
  readonly answers: Record<string, number>
}

rmSync(FINDINGS, { force: true })

test.runIf(canGroup()).each(DRIVERS)(
  `%s: ${ROUNDS} rounds of chaos without a violation`,
  { timeout: 0 },
  async (driver) => {
    if (faketime() === undefined)
      console.warn('NOT DONE without libfaketime (Debian: apt install faketime): clocks that jump')
    mkdirSync(FOLDER, { recursive: true })
    const sum: Sum = {
      date: new Date().toISOString(),
      machine: { node: process.version, kernel: release(), cores: cpus().length },
      firstSeed: FIRST_SEED,
      wanted: ROUNDS,
      load: 0,
      driver,
      rounds: 0,
      violated: [],
      clients: 0,
      servers: 0,
      acknowledged: 0,
      rows: 0,
      seconds: 0,
      faults: {},
      answers: {},
    }
    const started = performance.now()
    const seeds = Array.from({ length: ROUNDS }, (_, n) => FIRST_SEED + n)
    await playRounds(
      seeds.map((seed) => planOf(seed, driver)),
      AT_ONCE,
      (outcome) => {
        add(sum, outcome)
        sum.seconds = Math.round((performance.now() - started) / 1_000)
        if (outcome.violations.length > 0) appendFileSync(FINDINGS, `${finding(outcome)}\n\n`)
        save(sum)
        return true
      },
    )
    expect(sum.violated, `see ${FINDINGS.pathname}`).toEqual([])
    expect(sum.rounds).toBe(ROUNDS)
  },
)

function add(sum: Sum, { plan, violations, clients, servers, acknowledged, rows, answers }: Outcome): void {
  sum.rounds++
  if (violations.length > 0) sum.violated.push(plan.seed)
  sum.clients += clients
  sum.servers += servers
  sum.acknowledged += acknowledged
  sum.rows += rows
  for (const { kind } of plan.steps) sum.faults[kind] = (sum.faults[kind] ?? 0) + 1
  for (const [answer, count] of Object.entries(answers)) sum.answers[answer] = (sum.answers[answer] ?? 0) + count
}

function save(sum: Sum): void {
  sum.load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  writeFileSync(new URL(`chaos-${sum.driver}.json`, FOLDER), `${JSON.stringify(sum, null, 2)}\n`)
}
