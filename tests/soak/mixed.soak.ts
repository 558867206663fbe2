import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { runMixed } from '../mixed/run.ts'

const MINUTES = Number(process.env.PROCREF_SOAK_MINUTES ?? 10)

test(`${MINUTES} minutes of claims by holders of all kinds, killed at random`, { timeout: 0 }, async () => {
  const enough = { claimsOfEach: 1000, kills: 10, killedWithSlot: 1, forMs: MINUTES * 60_000 }
  const result = await runMixed({ dir: freshDir(), ...enough })
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, minutes: MINUTES, ...result }
  writeFileSync(new URL('mixed.json', folder), `${JSON.stringify(report, null, 2)}\n`)
  expect(result.overlaps).toEqual([])
  expect(result.missing).toEqual([])
})
