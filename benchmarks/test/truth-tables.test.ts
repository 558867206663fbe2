import { expect, test } from 'vitest'
import { correctnessTable, type ExperimentResult, type Results, truthTables } from '../dist/index.js'
import { syntheticResults } from './synthetic-results.ts'

test('each cell is what an experiment or a scenario of this run found', () => {
  const results: Results = {
    ...syntheticResults(),
    experiments: [
      observed('kill', 'native', 'holds', 'after 0.4 ms'),
      observed('maximum', 'native', 'holds', '10,000'),
      observed('stale', 'native', 'breaks', 'for 10.2 s'),
    ],
  }
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
  expect(stale).toMatchObject({ verdict: 'breaks', text: 'for 10.2 s', evidence: 'What was done for stale.' })
  const measured = results.scenarios
    .find(({ name }) => name === 'uncontended')
    ?.series.find(({ subject }) => subject === 'native')?.points[0]
  expect(performance).toMatchObject({ verdict: 'measured', text: expect.stringMatching(/^[\d.,]+ µs$/) })
  expect(Number.parseFloat(performance?.text ?? '')).toBeCloseTo(measured?.p50 ?? Number.NaN, 0)
})

test('every subject has a row, also one that is not installed, with how to get it', () => {
  const results = syntheticResults()
  const missing = results.subjects.filter(({ unavailable }) => unavailable !== undefined)
  expect(missing.length).toBeGreaterThan(0)
  for (const table of [...truthTables(results), correctnessTable(results)]) {
    expect(table.rows.map(({ subject }) => subject)).toEqual(results.subjects.map(({ name }) => name))
    for (const { name, unavailable } of missing) {
      for (const cell of cellsOf(table, name)) {
        expect(cell).toMatchObject({ verdict: 'missing', text: 'not installed' })
        expect(cell.evidence).toContain(unavailable?.remedy)
      }
    }
  }
})

test('the table of all experiments has a column for each that ran', () => {
  const results = syntheticResults()
  const titles = new Set(results.experiments.map(({ title }) => title))
  expect(correctnessTable(results).columns).toEqual([...titles])
})

function observed(
  experiment: string,
  subject: string,
  verdict: ExperimentResult['verdict'],
  finding: string,
): ExperimentResult {
  return { experiment, title: experiment, subject, verdict, finding, evidence: `What was done for ${experiment}.` }
}

function cellsOf(table: ReturnType<typeof correctnessTable>, subject: string): (typeof table.rows)[number]['cells'] {
  return table.rows.find((row) => row.subject === subject)?.cells ?? []
}
