import { canGroup } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../service/service.ts'
import { planOf } from './plan.ts'
import { finding } from './report.ts'
import type { Outcome } from './round.ts'
import { playRounds } from './rounds.ts'
import { faketime } from './surroundings.ts'

if (!canGroup()) console.warn('NOT RUN without root and cgroup v2: rounds of chaos')
if (faketime() === undefined)
  console.warn('NOT DONE without libfaketime (Debian: apt install faketime): clocks that jump')

const { PROCREF_CHAOS_SEED: seed, PROCREF_CHAOS_DRIVER: chosen } = process.env
/** Always the same ones: `pnpm soak` plays others. */
const SEEDS = seed === undefined ? Array.from({ length: 6 }, (_, n) => n + 1) : [Number(seed)]
const AT_ONCE = 2
const TIME_LIMIT_MS = 600_000

describe.runIf(canGroup()).each(DRIVERS.filter((driver) => chosen === undefined || driver === chosen))(
  '%s',
  (driver) => {
    test('rounds of chaos keep every promise', { timeout: TIME_LIMIT_MS }, async () => {
      const outcomes: Outcome[] = []
      await playRounds(
        SEEDS.map((number) => planOf(number, driver)),
        AT_ONCE,
        (outcome) => outcomes.push(outcome) > 0,
      )
      const findings = outcomes.filter(({ violations }) => violations.length > 0).map(finding)
      expect(findings, findings.join('\n\n')).toEqual([])
      expect(outcomes).toHaveLength(SEEDS.length)
      if (seed !== undefined) return
      // Nothing was kept because nothing happened: they wrote, and servers were replaced under them.
      const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0)
      expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(0)
      expect(sum(({ servers }) => servers)).toBeGreaterThan(SEEDS.length)
    })

    test('a seed makes the same round again', () => {
      expect(planOf(7, driver)).toEqual(planOf(7, driver))
      expect(planOf(7, driver)).not.toEqual(planOf(8, driver))
    })
  },
)
