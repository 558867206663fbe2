import { expect, test } from 'vitest'
import type { ExperimentResult, Results, SubjectInfo } from '../dist/results.js'
import { summarize } from '../dist/statistics.js'
import { correctnessTable, type TruthCell, type TruthTable, truthTables } from '../dist/truth-tables.js'

const results: Results = {
  format: 1,
  date: '2026-03-01T09:30:00.000Z',
  tookSeconds: 1,
  scale: 'quick',
  machine: {
    cpus: '1 x Example',
    memoryGb: 1,
    kernel: 'linux 6.18',
    filesystem: 'ext4',
    node: '24',
    virtualization: 'none seen',
  },
  noise: { loadBefore: 0, loadAfter: 0, spread: 1, priority: 'normal' },
  versions: {},
  services: [],
  subjects: [subject('native'), subject('redis', { reason: 'there is no program redis-server', remedy: 'install it' })],
  scenarios: [
    {
      ...{
        name: 'uncontended',
        title: 'A claim and its release',
        question: '',
        method: '',
        unit: 'µs',
        better: 'lower',
      },
      series: [{ subject: 'native', points: [summarize([4, 5, 6])] }],
      leftOut: [],
      failed: [],
    },
  ],
  experiments: [
    observed('kill', 'native', 'holds', 'after 0.4 ms'),
    observed('maximum', 'native', 'holds', '10,000'),
    observed('stale', 'native', 'breaks', 'for 10.2 s'),
  ],
  goals: [],
}

test('each cell is what an experiment or a scenario of this run found', () => {
  const [worth, running] = truthTables(results)
  expect(worth.columns).toEqual(['Auto-release on crash', 'Cross-platform', 'Multi-slot'])
  expect(running.columns).toEqual(['Crash recovery', 'Stale state', 'Performance', 'Debugging', 'Maximum'])
  expect(cellsOf(worth, 'native').map(({ text, verdict }) => [text, verdict])).toEqual([
    ['after 0.4 ms', 'holds'],
    ['not measured', 'missing'],
    ['10,000', 'holds'],
  ])
  const [crash, stale, performance] = cellsOf(running, 'native')
  expect(crash).toMatchObject({ verdict: 'missing' })
  expect(stale).toEqual({ verdict: 'breaks', text: 'for 10.2 s', evidence: 'What was done for stale.' })
  expect(performance).toMatchObject({
    verdict: 'measured',
    text: '5\u00a0µs',
    evidence: expect.stringContaining('3 samples'),
  })
})

test('a subject that is not installed has its row, with how to get it', () => {
  for (const table of [...truthTables(results), correctnessTable(results)]) {
    expect(table.rows.map((row) => row.subject)).toEqual(['native', 'redis'])
    for (const cell of cellsOf(table, 'redis')) {
      expect(cell).toMatchObject({ verdict: 'missing', text: 'not installed' })
      expect(cell.evidence).toBe('there is no program redis-server. To have it: install it')
    }
  }
})

test('a subject that failed in the scenario of a cell, or has no place in it, says why there', () => {
  const [scenario] = results.scenarios
  if (scenario === undefined) throw new Error('there is no scenario')
  const cellIn = (changes: object): TruthCell | undefined =>
    cellsOf(truthTables({ ...results, scenarios: [{ ...scenario, series: [], ...changes }] })[1], 'native')[2]
  expect(cellIn({ failed: [{ subject: 'native', message: 'it broke' }] })).toEqual({
    ...{ verdict: 'unanswered', text: 'it failed', evidence: 'it broke' },
  })
  expect(cellIn({ leftOut: [{ subject: 'native', reason: 'it has one permit' }] })).toEqual({
    ...{ verdict: 'not-applicable', text: 'cannot be done', evidence: 'it has one permit' },
  })
  expect(cellIn({})).toMatchObject({ verdict: 'missing' })
})

test('the table of all experiments has a column for each that ran', () => {
  expect(correctnessTable(results).columns).toEqual(['kill', 'maximum', 'stale'])
})

function subject(name: string, unavailable?: { readonly reason: string; readonly remedy: string }): SubjectInfo {
  const told = { title: name, summary: '', kind: 'library', maxSlots: 100, betweenProcesses: true, waits: '' }
  return { name, ...told, ...(unavailable === undefined ? {} : { unavailable }) }
}

function observed(
  experiment: string,
  subject: string,
  verdict: ExperimentResult['verdict'],
  finding: string,
): ExperimentResult {
  return { experiment, title: experiment, subject, verdict, finding, evidence: `What was done for ${experiment}.` }
}

function cellsOf(table: TruthTable, name: string): readonly TruthCell[] {
  return table.rows.find((row) => row.subject === name)?.cells ?? []
}
