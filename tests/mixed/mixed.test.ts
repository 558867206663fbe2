import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { runMixed } from './run.ts'

// The whole is `pnpm soak` (ten minutes, tests/soak/results/mixed.json); this is a sample.

/** It may have to be built with Rust, and then all kinds of programs start again and again. */
const HANGS_MS = 600_000

test('holders of all kinds in one directory, killed at random, never have one slot at once', {
  timeout: HANGS_MS,
}, async () => {
  const enough = { claimsOfEach: 300, kills: 10, killedWithSlot: 1, forMs: 10_000 }
  const result = await runMixed({ dir: freshDir(), ...enough })
  for (const kind of result.missing) console.warn(`NOTE: DID NOT TAKE PART: ${kind}`)
  expect(result.overlaps).toEqual([])
  expect(Object.keys(result.claims).length + result.missing.length).toBeGreaterThanOrEqual(4)
})

test('a holder that heeds no lock is found out', { timeout: HANGS_MS }, async () => {
  const enough = { claimsOfEach: 20, kills: 0, killedWithSlot: 0, forMs: 2_000 }
  const result = await runMixed({ dir: freshDir(), ...enough, heedless: true })
  if (!('heedless' in result.claims)) return console.warn(`NOTE: DID NOT RUN: ${result.missing.join('; ')}`)
  expect(result.overlaps.length).toBeGreaterThan(0)
})
