import { describe, expect, test } from 'vitest'
import { compare } from '../src/compare.ts'
import type { Results, ScenarioResult } from '../src/results.ts'
import { summarize } from '../src/statistics.ts'
import { comparisonTable, summaryTables } from '../src/tables.ts'
import { randomNumbers, syntheticResults } from './synthetic-results.ts'

describe('the comparison of two runs', () => {
  test('finds nothing in a run compared with itself', () => {
    const results = syntheticResults()
    const { changes, warnings, onlyNow, onlyBefore } = compare(results, results)
    expect(changes.length).toBeGreaterThan(150)
    expect(new Set(changes.map(({ verdict }) => verdict))).toEqual(new Set(['no difference proven']))
    expect({ warnings, onlyNow, onlyBefore }).toEqual({ warnings: [], onlyNow: [], onlyBefore: [] })
  })

  test('proves that everything takes half as long again, and that it was faster before', () => {
    const before = runOf(values(1, 100))
    const now = runOf(values(2, 150))
    expect(only(compare(now, before))).toMatchObject({ verdict: 'slower', ratio: expect.closeTo(1.5, 1) })
    expect(only(compare(before, now))).toMatchObject({ verdict: 'faster', ratio: expect.closeTo(0.667, 1) })
  })

  test('calls more of what should be high faster, and more memory worse', () => {
    const [less, more] = [values(1, 100), values(2, 150)]
    const rate = { unit: 'per second', better: 'higher' } as const
    expect(only(compare(runOf(more, rate), runOf(less, rate))).verdict).toBe('faster')
    const memory = { unit: 'MB', better: 'lower' } as const
    expect(only(compare(runOf(more, memory), runOf(less, memory))).verdict).toBe('worse')
    expect(only(compare(runOf(less, memory), runOf(more, memory))).verdict).toBe('better')
  })

  test('proves nothing where the same values were drawn twice, whatever their spread', () => {
    const verdicts = Array.from({ length: 40 }, (_, n) =>
      only(compare(runOf(values(2 * n + 1, 100, 0.5)), runOf(values(2 * n + 2, 100, 0.5)))),
    ).map(({ verdict }) => verdict)
    // At 95 % one in twenty may be wrong; the draws are the same in every run of this test.
    expect(verdicts.filter((verdict) => verdict !== 'no difference proven').length).toBeLessThanOrEqual(2)
  })

  test('proves nothing that is smaller than what the machine differs by on its own', () => {
    const before = runOf(values(1, 100, 0.01))
    const now = runOf(values(2, 110, 0.01))
    expect(only(compare(now, before)).verdict).toBe('slower')
    expect(only(compare({ ...now, noise: { ...now.noise, spread: 1.3 } }, before)).verdict).toBe('no difference proven')
    expect(only(compare(now, { ...before, noise: { ...before.noise, spread: 1.3 } })).verdict).toBe(
      'no difference proven',
    )
  })

  test('proves nothing from five values, nor against a median of 0', () => {
    const few = only(compare(runOf([1, 1, 1, 1, 1]), runOf([9, 9, 9, 9, 9])))
    expect(few).toMatchObject({ verdict: 'no difference proven' })
    expect(few).not.toHaveProperty('ratio')
    const none = only(compare(runOf(values(1, 100)), runOf([0, 0, 0, 0, 0, 0, 0])))
    expect(none).not.toHaveProperty('interval')
  })

  test('warns of another machine, another scale and another priority', () => {
    const results: Results = { ...syntheticResults(), scenarios: [] }
    const other: Results = {
      ...results,
      scale: 'guard',
      machine: { ...results.machine, cpus: '2 x Another' },
      noise: { ...results.noise, priority: 'real-time' },
    }
    const { warnings } = compare(results, other)
    expect(warnings.join('\n')).toMatch(/machines differ/)
    expect(warnings.join('\n')).toMatch(/8 x Example .* now, 2 x Another before/)
    expect(warnings.join('\n')).toMatch(/full now, guard before/)
    expect(warnings.join('\n')).toMatch(/normal now, real-time before/)
  })

  test('says what only one of the two measured, and does not compare across units', () => {
    const [µs, ns] = [runOf(values(1, 100)), runOf(values(1, 100), { unit: 'ns', better: 'lower' })]
    expect(compare(µs, ns)).toMatchObject({ changes: [], onlyNow: ['one: native'], onlyBefore: ['one: native'] })
  })
})

describe('the tables for a terminal', () => {
  test('show proven differences first, in words, as many cells in each row', () => {
    const whole = syntheticResults()
    const now = { ...whole, scenarios: whole.scenarios.filter(({ name }) => name === 'slots' || name === 'connect') }
    const before: Results = {
      ...now,
      scenarios: now.scenarios.map((one) => (one.name === 'slots' ? slower(one) : one)),
    }
    const [heading, first, ...rows] = comparisonTable(compare(now, before))
    expect(heading).toEqual(['scenario', 'subject', 'before', 'now', 'ratio (95 %)', 'verdict'])
    expect(first?.[0]).toBe('slots')
    expect(first?.[5]).toBe('faster')
    expect(rows.at(-1)?.[5]).toBe('no difference proven')
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([6]))
  })

  test('name every subject, those that are not here and those that failed too', () => {
    const results = syntheticResults()
    const [table = []] = summaryTables(results)
    expect(table[0]).toEqual([
      '',
      'uncontended',
      'contended (32)',
      'fullness (99 %)',
      'slots (100,000)',
      'crash-to-claim',
      'last-holder',
    ])
    expect(table.slice(1).map(([title]) => title)).toEqual(results.subjects.map(({ title }) => title))
    expect(table.find(([title]) => title === 'cross-process-lock')?.[1]).toBe('not here')
    expect(table.find(([title]) => title === 'procref native()')?.[1]).toMatch(/^\d\.\d+ µs$/)
  })
})

function only({ changes }: ReturnType<typeof compare>): ReturnType<typeof compare>['changes'][number] {
  const [first, ...more] = changes
  if (first === undefined || more.length > 0) throw new Error(`${changes.length} changes instead of one`)
  return first
}

function runOf(
  samples: readonly number[],
  how: Pick<ScenarioResult, 'unit' | 'better'> = { unit: 'µs', better: 'lower' },
): Results {
  const frame = { name: 'one', title: 'One', question: 'What?', method: 'So.', leftOut: [], failed: [] }
  return {
    ...syntheticResults(),
    noise: { loadBefore: 0, loadAfter: 0, spread: 1.01, priority: 'normal' },
    scenarios: [{ ...frame, ...how, series: [{ subject: 'native', points: [summarize(samples)] }] }],
  }
}

function values(seed: number, median: number, spread = 0.1): readonly number[] {
  const random = randomNumbers(seed * 7_919)
  return Array.from({ length: 60 }, () => median * (1 + spread * (random() + random() + random() - 1.5)))
}

function slower(scenario: ScenarioResult): ScenarioResult {
  const series = scenario.series.map((one) => ({
    ...one,
    points: one.points.map((point) =>
      summarize(
        point.samples.map((sample) => 1.5 * sample),
        point.at,
      ),
    ),
  }))
  return { ...scenario, series }
}
