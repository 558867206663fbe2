import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import { atEnd, type Child, canCutPower, endDirectory, eventually, mountDrive, type PowerCut } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { acknowledgedBy } from '../service/herd.ts'
import { DRIVE_BYTES, type Loss, lossOf, onWhatIsLeft, type ServiceOnDrive, serviceOn } from '../service/power-cuts.ts'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  type Driver,
  killed,
  type StartClient,
  stopped,
  wroteRow,
} from '../service/service.ts'
import { type Losses, losses, type Outcome } from './power-cut-losses.ts'

const STORAGES = ['rocksdb', 'surrealkv'] as const
/** Services of all of them run at the same time, each on a drive of its own. */
const SETTINGS = ['every', '200ms', '1s', 'never'] as const
const CUTS = 12
const WRITERS = 2
const ROW_BYTES = 500
/** Linux writes back what is dirty after 30 s, in rounds of 5 s: only then does anything that nobody synced come to the drive. */
const WARM_UP_MS = 40_000
/** Each cut comes at a random moment of so long a time. */
const WITHIN_MS = 2_000
const STOPS = 5
const FIRST_STARTS = 10
const FIRST_START_WITHIN_MS = 3_000

type Storage = (typeof STORAGES)[number]
type Setting = (typeof SETTINGS)[number]

const FILE = new URL('./results/power-cut.json', import.meta.url)

interface Result {
  readonly when: 'writing' | 'stopped' | 'first start'
  readonly driver: Driver
  readonly storage: string
  readonly sync: string
}

/** Takes the place of what was measured of the same before, at once: `-t` repeats a part of it, and what is measured is kept whatever comes later. */
function report(...measured: readonly (Result & Losses & { readonly seconds: number })[]): void {
  const date = new Date().toISOString()
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const isSame = (one: Result, other: Result): boolean =>
    (['when', 'driver', 'storage', 'sync'] as const).every((key) => one[key] === other[key])
  const before = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')).results as Result[]) : []
  const others = before.filter((one) => !measured.some((other) => isSame(one, other)))
  const results = [...others, ...measured.map((one) => ({ ...one, date, machine }))]
  writeFileSync(FILE, `${JSON.stringify({ results }, null, 2)}\n`)
}

const combinations = DRIVERS.flatMap((driver) => STORAGES.map((storage) => [driver, storage] as const))

describe.runIf(canCutPower()).each(combinations)('the power is cut (%s, %s)', (driver, storage) => {
  test('again and again under writers: with sync every nothing is lost, and what else loses is measured', {
    timeout: 0,
  }, async () => {
    await record('writing', driver, storage, underWriters)
  })

  test('right after the server has stopped in order: with sync every nothing is lost', { timeout: 0 }, async () => {
    await record('stopped', driver, storage, afterStops)
  })

  test('at any moment of a first start: the next client is served', { timeout: 0 }, async () => {
    const began = performance.now()
    const facts = losses(await inFirstStarts((dir, options) => clientsOf(driver)(dir, { storage, ...options })))
    report({ when: 'first start', driver, storage, sync: 'every', ...facts, seconds: secondsSince(began) })
    expect(harmOf(facts)).toEqual(NO_HARM)
  })
})

/** One service for each setting, all at the same time. */
async function record(
  when: Result['when'],
  driver: Driver,
  storage: Storage,
  outcomesOf: (start: StartClient) => Promise<readonly Outcome[]>,
): Promise<void> {
  const began = performance.now()
  // Each to its end: what one of them leaves behind would be taken away under the others.
  const ended = await Promise.allSettled(
    SETTINGS.map(async (sync: Setting) => {
      const outcomes = await outcomesOf((dir, options) => clientsOf(driver)(dir, { storage, sync, ...options }))
      return { when, driver, storage, sync, ...losses(outcomes) }
    }),
  )
  const measured = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  report(...measured.map((one) => ({ ...one, seconds: secondsSince(began) })))
  const failed = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('\n'))
  const every = measured.find(({ sync }) => sync === 'every')
  expect(every && harmOf(every)).toEqual(NO_HARM)
}

const NO_HARM = { refused: {}, cutsThatLost: 0, gaps: 0 }

function harmOf({ refused, cutsThatLost, gaps }: Losses): Pick<Losses, keyof typeof NO_HARM> {
  return { refused, cutsThatLost, gaps }
}

async function underWriters(start: StartClient): Promise<readonly Outcome[]> {
  const service = serviceOn(atEnd(await mountDrive({ bytes: DRIVE_BYTES })))
  const writers = startWriters(start, service.dir, ROW_BYTES)
  await Promise.all(writers.map(connected))
  for (const writer of writers) writer.send('write')
  await after(WARM_UP_MS)
  const outcomes: Outcome[] = []
  while (outcomes.length < CUTS) {
    const before = writers.map(acknowledgedBy)
    await after(Math.random() * WITHIN_MS)
    outcomes.push(await outcome(service, start, writers))
    await eventually('every writer writes', () =>
      writers.every((writer, n) => acknowledgedBy(writer) > (before[n] ?? 0)),
    )
  }
  await Promise.all(writers.map(killed))
  await endDirectory(service.dir)
  return outcomes
}

async function afterStops(start: StartClient): Promise<readonly Outcome[]> {
  const service = serviceOn(atEnd(await mountDrive({ bytes: DRIVE_BYTES })))
  const written: Child[] = []
  const outcomes: Outcome[] = []
  while (outcomes.length < STOPS) {
    const writers = startWriters(start, service.dir, ROW_BYTES)
    written.push(...writers)
    const [first] = await Promise.all(writers.map(connected))
    for (const writer of writers) writer.send('write')
    await after(Math.random() * WITHIN_MS)
    for (const writer of writers) writer.send('stop')
    await Promise.all(writers.map((writer) => writer.event('wrote')))
    await Promise.all(writers.map(killed))
    await stopped(service.dir, first?.port ?? 0)
    outcomes.push(await outcome(service, start, written))
  }
  return outcomes
}

async function inFirstStarts(start: StartClient): Promise<readonly Outcome[]> {
  const drive = atEnd(await mountDrive({ bytes: DRIVE_BYTES }))
  const outcomes: Outcome[] = []
  while (outcomes.length < FIRST_STARTS) {
    const service = serviceOn(drive, `first-${outcomes.length}`)
    const client = start(service.dir)
    await after(Math.random() * FIRST_START_WITHIN_MS)
    await using cut = await drive.powerCut()
    await killed(client)
    await endDirectory(service.dir)
    outcomes.push(
      await opened(start, service, cut, async (next) => {
        await wroteRow(next)
        expect(await counted(next)).toBe(1)
        return NOTHING_LOST
      }),
    )
    // RocksDB sets aside a hundred megabytes for its log: the drive would be full before the tenth.
    rmSync(service.dir, { recursive: true, force: true })
  }
  return outcomes
}

const NOTHING_LOST: Loss = { acknowledged: 0, lostRows: 0, lostMs: 0, gaps: 0 }

function startWriters(start: StartClient, dir: string, rowBytes: number): readonly Child[] {
  return Array.from({ length: WRITERS }, () => start(dir, { rowBytes }))
}

/** Cuts the power now. */
async function outcome(service: ServiceOnDrive, start: StartClient, writers: readonly Child[]): Promise<Outcome> {
  await using cut = await service.drive.powerCut()
  return await opened(start, service, cut, (reader) => lossOf(writers, reader, cut))
}

/** Rejects for whatever is not a server that does not start. */
async function opened(
  start: StartClient,
  service: ServiceOnDrive,
  cut: PowerCut,
  look: (reader: Child) => Promise<Loss>,
): Promise<Outcome> {
  let reader: Child | undefined
  const started: StartClient = (dir) => {
    reader = start(dir)
    return reader
  }
  try {
    return await onWhatIsLeft(service, cut, started, look)
  } catch (error) {
    const refused = reader === undefined ? undefined : refusalOf(reader)
    if (refused === undefined) throw error
    console.warn(error)
    return { refused }
  }
}

/** The code of the error with which connect() failed. */
function refusalOf(client: Child): string | undefined {
  const events = client
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{"event":'))
  if (events.some((line) => line.startsWith('{"event":"connected"'))) return undefined
  const failed = events.find((line) => line.startsWith('{"event":"failed"'))
  return failed === undefined ? undefined : (JSON.parse(failed) as { code?: string }).code
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 1_000)
}
