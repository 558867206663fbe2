import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { afterAll, describe, test } from 'vitest'
import { expectOneServer, herdRound, stormRound } from '../service/herd.ts'
import { clientsOf, DRIVERS } from '../service/service.ts'

const HERDS = 10
const STORMS = 10
const EVENTS = 12
/** Another one shakes differently; the one of a failure brings the same order of events again. */
const SEED = Number(process.env.PROCREF_SOAK_SEED ?? 1)

const results: Record<string, unknown>[] = []

afterAll(() => {
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const report = { date: new Date().toISOString(), machine, seed: SEED, events: EVENTS, results }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('soak.json', folder), `${JSON.stringify(report, null, 2)}\n`)
})

/** A round that fails is in the report as well, with its reason. */
async function recorded(facts: Record<string, unknown>, round: () => Promise<object>): Promise<void> {
  try {
    results.push({ ...facts, ok: true, ...(await round()) })
  } catch (error) {
    results.push({ ...facts, ok: false, error: String(error).split('\n', 1)[0] })
    throw error
  }
}

describe.each(DRIVERS)('%s', (driver) => {
  test.each(Array.from({ length: HERDS }, (_, i) => i + 1))('herd %i: 50 processes connect at once', async (round) => {
    await recorded({ driver, what: 'herd', round }, async () => {
      const herd = await herdRound(clientsOf(driver), 50)
      expectOneServer(herd)
      return herd
    })
  })

  test.each(Array.from({ length: STORMS }, (_, i) => SEED + i))('storm, seed %i', async (seed) => {
    await recorded({ driver, what: 'storm', seed }, () => stormRound(driver, seed, EVENTS))
  })
})
