import { setTimeout as pause } from 'node:timers/promises'

/** A killed process lets go of its locks within milliseconds, on a busy machine within a fraction of a second. */
const SETTLES_MS = 2_000
const ROUND_MS = 100

/**
 * What `look()` sees, once it is calm or has not become calm for two seconds: what is seen in the middle of a start or an end is
 * no fault, and must not be reported as one.
 */
export async function settled<T>(look: () => T | Promise<T>, isCalm: (seen: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + SETTLES_MS
  for (;;) {
    const seen = await look()
    if (isCalm(seen) || performance.now() >= giveUpAt) return seen
    await pause(ROUND_MS)
  }
}
