import { closeSync, writeSync } from 'node:fs'
import { type SerializedError, serializeError } from '../state/serialized-error.ts'

/** The status pipe's descriptor in the launcher and in what it starts. */
export const STATUS_FD = 3

/** What a process that was launched detached reports instead of its own status when it gives up. */
export interface DetachedError {
  readonly kind: 'error'
  readonly error: SerializedError
}

/** Tells the client that launched this process how it went, once. */
export interface StatusReporter<S> {
  /** False: nobody is left to tell, or it was told before. */
  report(status: S): boolean
  /** Reports the error, writes it to the log, and ends the process. */
  leave(error: unknown): never
}

/** `name` says in the log who writes. Caller: only in a program that `launchDetached` starts. */
export function statusReporter<S>(name: string): StatusReporter<S> {
  let reported = false
  const send = (status: S | DetachedError): boolean => {
    if (reported) return false
    reported = true
    try {
      writeSync(STATUS_FD, `${JSON.stringify(status)}\n`)
      return true
    } catch {
      // The client that launched us is gone.
      return false
    } finally {
      // A client must not wait for our end, nor a CI step for the pipe's.
      closeSync(STATUS_FD)
    }
  }
  return {
    report: send,
    leave(error) {
      // The log may be what cannot be written: whoever waits is told first.
      send({ kind: 'error', error: serializeError(error) })
      try {
        process.stderr.write(
          `procref ${name} ${process.pid}: ${error instanceof Error ? error.stack : String(error)}\n`,
        )
      } finally {
        process.exit(1)
      }
    },
  }
}
