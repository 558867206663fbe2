import { setTimeout as after } from 'node:timers/promises'
import { UnsupportedByNature } from './actor/json-process.ts'

/** What `promise` gives; `UnsupportedByNature`, with what did not happen, when that takes too long: the subject waits for a time to run out. */
export async function withPatience<T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> {
  const stop = new AbortController()
  const late = after(milliseconds, undefined, { signal: stop.signal }).then(() => {
    throw new UnsupportedByNature(`${what} within ${milliseconds / 1_000} s`)
  })
  // Called off when the promise came first.
  late.catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}
