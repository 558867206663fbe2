import { type ServerDriver, surrealBinary } from '@procref/lifecycle'

/** The best server known: a `surreal` executable, looked for when it is needed, so that a running server can always be joined. */
export function defaultDriver(): ServerDriver {
  return surrealBinary()
}
