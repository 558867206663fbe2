import { bootId } from '@procref/core'

/**
 * When a server was started, in a form that other processes can compare: milliseconds of the system's monotonic clock,
 * which counts from the boot `bootId` for every process, and which nobody can set (a wall clock jumps).
 */
export interface StartMark {
  readonly bootId: string
  readonly monotonicMs: number
}

export interface CrashLoopLimit {
  readonly starts: number
  readonly withinMs: number
}

/** More are never needed to decide, whatever the limit is. */
const MAX_MARKS = 100

/**
 * Now. `process.hrtime` is CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS, the performance counter on Windows: all
 * count from the boot, not from the start of the process. Time asleep does not count on Linux and macOS.
 */
export function startMark(): StartMark {
  return { bootId: bootId(), monotonicMs: Number(process.hrtime.bigint() / 1_000_000n) }
}

/** The starts to record when one is made `now`: those that can still matter and the new one. */
export function afterStart(marks: readonly StartMark[], now: StartMark): readonly StartMark[] {
  return [...comparable(marks, now), now].slice(-MAX_MARKS)
}

/** A clean stop ends the count. */
export function afterCleanStop(): readonly StartMark[] {
  return []
}

/** Were there `starts` starts, none of which ended in a clean stop, in the last `withinMs` before `now`? Then do not start again. */
export function isCrashLoop(marks: readonly StartMark[], now: StartMark, limit: CrashLoopLimit): boolean {
  const recent = comparable(marks, now).filter((mark) => now.monotonicMs - mark.monotonicMs <= limit.withinMs)
  return recent.length >= limit.starts
}

/** A mark of another boot, or from the future (a container with a clock of its own), says nothing about now. */
function comparable(marks: readonly StartMark[], now: StartMark): readonly StartMark[] {
  return marks.filter((mark) => mark.bootId === now.bootId && mark.monotonicMs <= now.monotonicMs)
}
