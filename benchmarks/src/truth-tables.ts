import { formatValue } from './format.ts'
import type { ExperimentResult, Results, ScenarioResult } from './results.ts'
import { howToHave } from './subject.ts'

/** A table of what was measured, made from one run: nothing in it is an opinion. */
export interface TruthTable {
  readonly title: string
  /** Of the cells, in order. */
  readonly columns: readonly string[]
  /** One a subject, in the order of the report; those that could not be used here are there too. */
  readonly rows: readonly TruthRow[]
}

export interface TruthRow {
  readonly subject: string
  readonly title: string
  readonly cells: readonly TruthCell[]
}

export interface TruthCell {
  /** `measured`: a number, neither good nor bad by itself; `missing`: this run did not look. */
  readonly verdict: ExperimentResult['verdict'] | 'measured' | 'missing'
  /** A few words. */
  readonly text: string
  /** What was done and seen, in sentences. */
  readonly evidence: string
}

type Column = { readonly title: string; readonly cellOf: (results: Results, subject: string) => TruthCell }

const RESOURCES: readonly Column[] = [
  observed('Auto-release on crash', 'kill'),
  observed('Cross-platform', 'platforms'),
  observed('Multi-slot', 'maximum'),
]

const OPERATION: readonly Column[] = [
  observed('Crash recovery', 'crash'),
  observed('Stale state', 'stale'),
  timed('Performance', 'uncontended'),
  observed('Debugging', 'debugging'),
  observed('Maximum', 'maximum'),
]

/**
 * The two tables by which ways to share permits are compared: what a permit is worth, and what it is like to run. Each cell is what an
 * experiment or a scenario of this run found.
 */
export function truthTables(results: Results): readonly [TruthTable, TruthTable] {
  return [tableOf('What a permit is worth', RESOURCES, results), tableOf('What it is like to run', OPERATION, results)]
}

/** All that was observed: a column an experiment. */
export function correctnessTable(results: Results): TruthTable {
  const titles = new Map(results.experiments.map(({ experiment, title }) => [experiment, title]))
  return tableOf(
    'What happens when …',
    [...titles].map(([name, title]) => observed(title, name)),
    results,
  )
}

function tableOf(title: string, columns: readonly Column[], results: Results): TruthTable {
  return {
    title,
    columns: columns.map((column) => column.title),
    rows: results.subjects.map(({ name, title, unavailable }) => ({
      subject: name,
      title,
      cells: columns.map(({ cellOf }) =>
        unavailable === undefined
          ? cellOf(results, name)
          : {
              verdict: 'missing',
              text: 'not installed',
              evidence: howToHave(unavailable),
            },
      ),
    })),
  }
}

function observed(title: string, experiment: string): Column {
  return {
    title,
    cellOf(results, subject) {
      const found = results.experiments.find((one) => one.experiment === experiment && one.subject === subject)
      if (found === undefined) return notRun(experiment)
      return { verdict: found.verdict, text: found.finding, evidence: found.evidence }
    },
  }
}

function timed(title: string, scenario: string): Column {
  return {
    title,
    cellOf(results, subject) {
      const found = results.scenarios.find(({ name }) => name === scenario)
      return found === undefined ? notRun(scenario) : medianCell(found, subject)
    },
  }
}

function medianCell({ series, leftOut, failed, title, unit }: ScenarioResult, subject: string): TruthCell {
  const point = series.find((one) => one.subject === subject)?.points[0]
  if (point !== undefined) {
    const [low, high] = point.interval.map((end) => formatValue(end, unit))
    const evidence = `${title}: the median of ${point.n} samples, with 95 % between ${low} and ${high}.`
    return { verdict: 'measured', text: formatValue(point.p50, unit), evidence }
  }
  const reason = leftOut.find((one) => one.subject === subject)?.reason
  if (reason !== undefined) return { verdict: 'not-applicable', text: 'cannot be done', evidence: reason }
  const message = failed.find((one) => one.subject === subject)?.message
  return message === undefined ? notRun(title) : { verdict: 'unanswered', text: 'it failed', evidence: message }
}

function notRun(name: string): TruthCell {
  return { verdict: 'missing', text: 'not measured', evidence: `This run did not include "${name}".` }
}
