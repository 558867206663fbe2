export * from './results.ts'
export { listBenchmarks, type Progress, type RunOptions, runBenchmarks, UnknownNameError } from './run.ts'
