export * from './results.ts'
export { type Progress, type RunOptions, runBenchmarks, UnknownNameError } from './run.ts'
