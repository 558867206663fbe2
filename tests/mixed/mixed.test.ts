import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { runMixed } from './run.ts'

// The whole is `pnpm soak` (ten minutes, tests/soak/results/mixed.json); this is a sample.

test('holders of all kinds in one directory, killed at random, never have one slot at once', async () => {
  const result = await runMixed({ dir: freshDir(), claimsOfEach: 300, forMs: 10_000 })
  for (const kind of result.missing) console.warn(`NOTE: DID NOT TAKE PART: ${kind}`)
  expect(result.overlaps).toEqual([])
  expect(Object.values(result.kills).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10)
  expect(result.killedWithSlot).toBeGreaterThan(0)
  expect(Object.keys(result.claims).length + result.missing.length).toBeGreaterThanOrEqual(4)
})

test('a holder that heeds no lock is found out', async () => {
  const result = await runMixed({ dir: freshDir(), claimsOfEach: 20, forMs: 2_000, heedless: true })
  if (!('heedless' in result.claims)) return console.warn(`NOTE: DID NOT RUN: ${result.missing.join('; ')}`)
  expect(result.overlaps.length).toBeGreaterThan(0)
})
