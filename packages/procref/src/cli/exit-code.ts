import { ProcrefError } from '@procref/core'
import { UnknownBackendError } from '../errors.ts'

/** What the command's exit code says; `run` passes its program's own code on, so these are about procref alone. */
export const EXIT_CODE = {
  done: 0,
  failed: 1,
  usage: 2,
  /** EX_TEMPFAIL of sysexits.h: the same call may succeed later. */
  slotsExhausted: 75,
  /** As `env`, `nohup` and the shells have it: the program of `run` was found but could not be started, or was not found. */
  notStarted: 126,
  notFound: 127,
} as const

/** The command line itself is wrong: nothing was tried. */
export class UsageError extends ProcrefError {
  static readonly code = 'PROCREF_USAGE'
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(UsageError.code, message, options)
  }
}

/** Told by the code, not by the class: two copies of a package can be loaded. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  if (code === UsageError.code || code === UnknownBackendError.code) return EXIT_CODE.usage
  if (code === 'PROCREF_SLOTS_EXHAUSTED') return EXIT_CODE.slotsExhausted
  return EXIT_CODE.failed
}
