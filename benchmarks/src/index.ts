export { type Change, type Comparison, compare, type Verdict } from './compare.ts'
export { formatValue } from './format.ts'
export {
  ResultsFormatError,
  ResultsInvalidError,
  ResultsNotReadableError,
  readResults,
} from './read-results.ts'
export { reportHtml } from './report/report.ts'
export * from './results.ts'
export { checkNames, listBenchmarks, type Progress, type RunOptions, runBenchmarks, UnknownNameError } from './run.ts'
export { howToHave } from './subject.ts'
export { comparisonTable, summaryTables } from './tables.ts'
export { correctnessTable, type TruthCell, type TruthRow, type TruthTable, truthTables } from './truth-tables.ts'
