import { behaviours, findFailures } from '@procref/conformance'
import { describe, expect, test } from 'vitest'
import { brokenBackends, makeBroken } from './broken/all.ts'

/** As for the suite itself: thousands of claims, or a wait of which thirty seconds are the fault. */
const HANGS_MS = 600_000

/** Enough for the rare fault to show. */
const STRESS_CLAIMS = 4_000

describe('the suite catches what is wrong', () => {
  // They spend most of their time waiting for what never happens.
  test.concurrent.each(brokenBackends)('$file fails $breaks', { timeout: HANGS_MS }, async (wrong) => {
    const failures = await findFailures(await makeBroken(wrong), {
      behaviours: behaviours.filter(({ name }) => name === wrong.breaks),
      stressClaims: STRESS_CLAIMS,
      stopAt: 'first-failure',
    })
    expect(failures.map(({ error }) => String(error))).toEqual([expect.stringMatching(wrong.says)])
  })

  test('every behaviour has a backend that fails it', () => {
    const broken = new Set(brokenBackends.map(({ breaks }) => breaks))
    expect(behaviours.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([])
  })

  test('there are as many behaviours as are documented', () => {
    expect(behaviours).toHaveLength(27)
  })
})
