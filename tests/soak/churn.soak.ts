// Steady churn for two hours (PROCREF_SOAK_MINUTES says otherwise), after some thousand quick visits: clients connect, write, read, and leave or are
// killed. In a calm directory the guardian and its server live through it all, so that what they leak shows; in a stormy one they are killed, and
// everything stops and starts cold, now and then. SIGTERM to the process that it prints ends it early, with the true number of minutes in its result.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { JOURNAL_LIMIT_BYTES, SERVER_LOG_LIMIT_BYTES } from '@procref/lifecycle'
import { isAlive, servantsOf } from '@procref/testing'
import { expect, test } from 'vitest'
import { arrived, leave, makeSlots, newTally, startVisitor, type Tally, type Visited, visit } from '../service/churn.ts'
import { type DirectorySizes, type Footprint, footprintOf, sizesOf } from '../service/footprint.ts'
import { DRIVERS, type Driver, nothingIsLeft, serviceDir, stateOf } from '../service/service.ts'
import { type Trend, trendOf } from '../service/trend.ts'

/** What is committed says nothing of the machine's folders. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MINUTES = Number(process.env.PROCREF_SOAK_MINUTES ?? 120)
const MINUTE_MS = 60_000
const SAMPLE_MS = Number(process.env.PROCREF_SOAK_SAMPLE_MS ?? 30_000)
/** On the average, between two visits of one directory: four directories keep one processor busy so. */
const PAUSE_MS = Number(process.env.PROCREF_CHURN_PAUSE_MS ?? 2_500)
const VISITS_A_STORM = 6
const SLOTS = 8
/**
 * To a calm directory, before the two hours: with those that follow some 8,640, as from a client every ten seconds for 24 hours. Engine and server take
 * meanwhile what they keep at hand.
 */
const QUICK_VISITS = Number(process.env.PROCREF_CHURN_QUICK_VISITS ?? 6_600)
/** So many are awaited together, and some of them made side by side. */
const QUICK_ROUND = { count: 100, atOnce: 4 }
/** Of one, beside everything else; some tens are usual. */
const QUICK_VISIT_LIMIT_MS = 1_000
/** To end what is under way, whatever it is. */
const ENDING_MS = 600_000
/** The guardian looks at journal and log with each of its beats: meanwhile they can grow by this. */
const BETWEEN_BEATS_BYTES = 65_536

/** What the last half of a run may rise by without a word. */
const allowedMb = (level: number): number => Math.max(1, level * 0.02)
const allowedCount = (): number => 0.5

interface Sample extends DirectorySizes {
  readonly minute: number
  readonly guardian: Footprint
  /** The embedded engine is in the guardian. */
  readonly server?: Footprint
}

interface Run extends Tally {
  readonly driver: Driver
  readonly what: 'calm' | 'stormy'
  /** Before the first of its minutes. */
  quickVisits: number
  minutes: number
  serverKills: number
  guardianKills: number
  coldStarts: number
  epochs: number
  /** Visits, or looks, that went wrong. */
  readonly failures: string[]
  trends: Record<string, Trend>
  readonly samples: Sample[]
}

const runs: Run[] = []
let isOver = false

test(`${MINUTES} minutes of churn: memory, descriptors, threads, journal, log and files are flat at the end`, {
  timeout: MINUTES * MINUTE_MS + QUICK_VISITS * QUICK_VISIT_LIMIT_MS + ENDING_MS,
}, async () => {
  const end = (): void => {
    isOver = true
  }
  process.once('SIGTERM', end)
  console.log(`kill -TERM ${process.pid} ends it early`)
  try {
    // In one test: what is to be ended with a test is told apart only one test after the other.
    const all = DRIVERS.flatMap((driver) => [churn(driver, 'calm'), churn(driver, 'stormy')])
    const failed = (await Promise.allSettled(all)).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('\n'))
  } finally {
    process.removeListener('SIGTERM', end)
    save('over')
  }
  for (const { driver, what, failures, trends, samples } of runs) {
    const growing = Object.entries(trends).filter(([, { verdict }]) => verdict === 'growing')
    expect(growing, `${driver}, ${what}`).toEqual([])
    expect(failures, `${driver}, ${what}`).toEqual([])
    for (const sample of samples) expectWithinCaps(sample)
  }
})

async function churn(driver: Driver, what: 'calm' | 'stormy'): Promise<void> {
  const dir = serviceDir()
  await makeSlots(dir, SLOTS)
  const run = newRun(driver, what)
  runs.push(run)
  let resident = startVisitor(dir, driver, { slots: SLOTS })
  try {
    const { guardianPid } = await arrived(resident)
    if (what === 'calm') await comeAndGoQuickly(dir, run)
    const began = performance.now()
    let sampledAt = Number.NEGATIVE_INFINITY
    for (let elapsed = 0; elapsed < MINUTES * MINUTE_MS && !isOver; elapsed = performance.now() - began) {
      run.minutes = Math.round(elapsed / 6_000) / 10
      const next = run.visits + 1
      const storm = what === 'stormy' && next % VISITS_A_STORM === 0 ? (next / VISITS_A_STORM) % 3 : undefined
      try {
        if (storm === 0) {
          await leave(resident, run)
          await nothingIsLeft(dir)
          run.coldStarts++
          resident = startVisitor(dir, driver, { slots: SLOTS })
          await arrived(resident)
        }
        const kill = storm === 1 ? 'server' : storm === 2 ? 'guardian' : undefined
        await comeAndGo(dir, run, kill)
        if (performance.now() - sampledAt >= SAMPLE_MS && kill === undefined) {
          sampledAt = performance.now()
          run.samples.push(sampleOf(dir, driver, run.minutes))
          save('running')
        }
      } catch (error) {
        const text = String(error).slice(0, 2_000).replaceAll(ROOT, '')
        run.failures.push(`minute ${run.minutes}: ${text}\n${lastOf(`${dir}/journal.ndjson`)}`)
      }
      if (what === 'calm' && !isAlive(guardianPid))
        throw new Error(`${driver}: the guardian of the calm directory has ended`)
      await after(PAUSE_MS * (0.5 + Math.random()))
    }
    run.minutes = Math.round((performance.now() - began) / 6_000) / 10
    run.epochs = stateOf(dir).epoch
    if (what === 'calm') expect(run.epochs).toBe(1)
    await leave(resident, run)
    await nothingIsLeft(dir)
  } finally {
    await resident[Symbol.asyncDispose]()
  }
}

/** What the guardians did, and when, before something went wrong. */
function lastOf(journal: string): string {
  return readFileSync(journal, 'utf8').trim().split('\n').slice(-12).join('\n')
}

function newRun(driver: Driver, what: 'calm' | 'stormy'): Run {
  const none = { quickVisits: 0, minutes: 0, serverKills: 0, guardianKills: 0, coldStarts: 0, epochs: 0 }
  return { driver, what, ...newTally(), ...none, failures: [], trends: {}, samples: [] }
}

/** Without the start of a program for each of them. */
async function comeAndGoQuickly(dir: string, run: Run): Promise<void> {
  await using visitor = startVisitor(dir, run.driver, { slots: SLOTS, visits: QUICK_ROUND })
  await arrived(visitor)
  while (run.quickVisits < QUICK_VISITS && !isOver) {
    visitor.send('visits')
    const { wrote, read, repeated } = await visitor.event<Visited>('visitedOften', ENDING_MS)
    expect(read, 'rows that they read of those they wrote').toBe(wrote)
    run.quickVisits += QUICK_ROUND.count
    run.repeated += repeated
    console.log(`${run.driver}: ${run.quickVisits} quick visits`)
  }
  await leave(visitor, run)
}

/** `kill`: what dies while it is there. */
async function comeAndGo(dir: string, run: Run, kill: 'server' | 'guardian' | undefined): Promise<void> {
  await using visitor = startVisitor(dir, run.driver, { slots: SLOTS })
  await visit(visitor, run, async () => {
    if (kill === undefined) return
    await after(100 * Math.random())
    killServant(dir, run, kill)
  })
}

/** Only a process of this very directory. */
function killServant(dir: string, run: Run, which: 'server' | 'guardian'): void {
  const { guardian, server } = stateOf(dir)
  const pid = which === 'server' ? server?.pid : guardian.pid
  if (pid === undefined || !servantsOf(dir).includes(pid)) return
  try {
    process.kill(pid, 'SIGKILL')
    if (which === 'server') run.serverKills++
    else run.guardianKills++
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function sampleOf(dir: string, driver: Driver, minute: number): Sample {
  const { guardian, server } = stateOf(dir)
  const isApart = driver === 'binary' && server !== undefined
  return {
    minute,
    guardian: footprintOf(guardian.pid),
    ...(isApart && { server: footprintOf(server.pid) }),
    ...sizesOf(dir),
  }
}

/**
 * Memory of a stormy directory's processes tells nothing: they are new ones again and again. From that of the process with the database what was
 * written is taken away: the storage keeps as much of it in memory as it has in its files, up to a limit that no run comes to
 * (docs/embedded-performance.md).
 */
function trendsOf({ driver, what, samples }: Run): Record<string, Trend> {
  const trends: Record<string, Trend> = {}
  const add = (name: string, of: (sample: Sample) => number | undefined, allowed: (level: number) => number): void => {
    const points = samples.flatMap((sample) => ({ minute: sample.minute, value: of(sample) ?? Number.NaN }))
    if (points.length >= 6 && points.every(({ value }) => !Number.isNaN(value))) trends[name] = trendOf(points, allowed)
  }
  if (what === 'calm') {
    const withData = driver === 'embedded' ? 'guardian' : 'server'
    for (const process of ['guardian', 'server'] as const) {
      for (const memory of ['rssMb', 'anonymousMb', 'commonMb'] as const) {
        const own = (sample: Sample): number | undefined => {
          const megabytes = sample[process]?.[memory]
          return megabytes === undefined || process !== withData ? megabytes : megabytes - writtenMb(sample)
        }
        add(`${process}.${memory}`, own, allowedMb)
      }
      add(`${process}.descriptors`, (sample) => sample[process]?.descriptors, allowedCount)
      add(`${process}.threads`, (sample) => sample[process]?.threads, allowedCount)
    }
    const allowedBytes = (): number => 4_096
    add('journalBytes', (sample) => sample.journalBytes, allowedBytes)
    add('logBytes', (sample) => sample.logBytes, allowedBytes)
  }
  add('files', (sample) => sample.files, allowedCount)
  add('temporaryFiles', (sample) => sample.temporaryFiles, allowedCount)
  return trends
}

function writtenMb({ databaseBytes }: DirectorySizes): number {
  return databaseBytes / 1024 / 1024
}

function expectWithinCaps({ journalBytes, oldJournalBytes, logBytes }: Sample): void {
  expect(journalBytes).toBeLessThanOrEqual(JOURNAL_LIMIT_BYTES + BETWEEN_BEATS_BYTES)
  expect(oldJournalBytes).toBeLessThanOrEqual(JOURNAL_LIMIT_BYTES + BETWEEN_BEATS_BYTES)
  expect(logBytes).toBeLessThanOrEqual(SERVER_LOG_LIMIT_BYTES + BETWEEN_BEATS_BYTES)
}

function save(state: 'running' | 'over'): void {
  for (const run of runs) run.trends = trendsOf(run)
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, load: loadavg()[0], state, minutesWanted: MINUTES, runs }
  writeFileSync(new URL('churn.json', folder), `${JSON.stringify(report, rounded, 1)}\n`)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
