import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import { eventually } from '@procref/testing'
import { afterAll, expect, test } from 'vitest'
import { acknowledgedBy, allAcknowledgedRows } from '../service/herd.ts'
import {
  clientsOf,
  connected,
  DRIVERS,
  type Driver,
  killed,
  nothingIsLeft,
  serviceDir,
  stateOf,
  stopped,
} from '../service/service.ts'

const STORAGES = ['rocksdb', 'surrealkv'] as const
/** So many services at the same time: the crash-loop limit, five starts in a minute, is one service's. */
const SERVICES = 5
const KILLS = 20
const WRITERS = 2
/** Between the start and each kill of one service, so that it stays below that limit. */
const APART_MS = 16_000
/** Each writer has so many rows more before the next kill, which comes at a random moment soon after. */
const ROWS_BETWEEN = 5
const SOON_MS = 300

const results: object[] = []

afterAll(() => {
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, results }
  writeFileSync(new URL('kills.json', folder), `${JSON.stringify(report, null, 2)}\n`)
})

test.each(DRIVERS.flatMap((driver) => STORAGES.map((storage) => [driver, storage] as const)))(
  '%s, %s: the server is killed a hundred times under its writers, and no acknowledged row is lost',
  { timeout: 0 },
  async (driver, storage) => {
    const began = performance.now()
    const services = await Promise.all(Array.from({ length: SERVICES }, () => killAgain(driver, storage)))
    const sum = (of: (service: Killed) => number): number => services.reduce((total, one) => total + of(one), 0)
    const facts = {
      kills: sum((one) => one.kills),
      acknowledged: sum((one) => one.acknowledged),
      rows: sum((one) => one.rows),
    }
    results.push({ driver, storage, ...facts, seconds: Math.round((performance.now() - began) / 1_000) })
    expect(facts.kills).toBe(SERVICES * KILLS)
    expect(facts.rows).toBeGreaterThanOrEqual(facts.acknowledged)
  },
)

interface Killed {
  readonly kills: number
  readonly acknowledged: number
  /** Some that were written have not been acknowledged. */
  readonly rows: number
}

async function killAgain(driver: Driver, storage: (typeof STORAGES)[number]): Promise<Killed> {
  const dir = serviceDir()
  const writers = Array.from({ length: WRITERS }, () => clientsOf(driver)(dir, { storage }))
  const [first] = await Promise.all(writers.map(connected))
  for (const writer of writers) writer.send('write')
  let kills = 0
  for (; kills < KILLS; kills++) {
    const soonEnough = after(APART_MS)
    const before = writers.map(acknowledgedBy)
    await eventually('every writer writes', () =>
      writers.every((writer, n) => acknowledgedBy(writer) >= (before[n] ?? 0) + ROWS_BETWEEN),
    )
    await soonEnough
    await after(Math.random() * SOON_MS)
    const { epoch, server } = stateOf(dir)
    process.kill(server?.pid ?? expect.unreachable('no server is recorded'), 'SIGKILL')
    await eventually('the next server serves', () => stateOf(dir).epoch > epoch && stateOf(dir).state === 'serving')
  }
  for (const writer of writers) writer.send('stop')
  await Promise.all(writers.map((writer) => writer.event('wrote')))
  const rows = await allAcknowledgedRows(writers[0] ?? expect.unreachable(), writers)
  const acknowledged = writers.reduce((sum, writer) => sum + acknowledgedBy(writer), 0)
  await Promise.all(writers.map(killed))
  await stopped(dir, first?.port ?? 0)
  await nothingIsLeft(dir)
  return { kills, acknowledged, rows }
}
