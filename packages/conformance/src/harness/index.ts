export { type Child, type ChildEvent, type ChildExit, type ChildOptions, startChild, startProgram } from './child.ts'
export { obey, say, sayFailed } from './child-program.ts'
export { makeTempDir, type TempDir } from './temp-dir.ts'
export { eventually, HANGS_MS, mustBlock, type NotYet, QUIET_MS, staysTrue, within } from './waiting.ts'
