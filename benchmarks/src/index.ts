export * from './results.ts'
export { listBenchmarks, type Progress, type RunOptions, runBenchmarks, UnknownNameError } from './run.ts'
export { correctnessTable, type TruthCell, type TruthRow, type TruthTable, truthTables } from './truth-tables.ts'
