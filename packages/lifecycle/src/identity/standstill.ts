import { type ProcessIdentity, processState } from '@procref/core'

/**
 * Why this process does nothing at the moment, and what ends that, in words that complete "it …"; `undefined` for one that
 * runs, or waits for something to do, or cannot be seen from here.
 */
export function standstill(process: ProcessIdentity): string | undefined {
  return describeStandstill(processState(process), process.pid)
}

/** Somebody has stopped it: until it is continued it answers nobody, whatever the kernel accepts in its name. */
export function isStopped(state: string | undefined): boolean {
  return state !== undefined && /^t/i.test(state)
}

/** As `standstill`, of a state that `processState` has told. */
export function describeStandstill(state: string | undefined, pid: number): string | undefined {
  // The letters of /proc and `ps`: Linux has `t` for a debugger, `D` for what macOS calls `U`.
  switch (state?.[0]) {
    case 'T':
      return `is stopped (SIGSTOP); \`kill -CONT ${pid}\` lets it go on`
    case 't':
      return 'is stopped by a debugger; let it go on there'
    case 'D':
    case 'U':
      return 'waits in the kernel, most likely for a disk or a file system that does not answer (uninterruptible sleep)'
    default:
      return undefined
  }
}
