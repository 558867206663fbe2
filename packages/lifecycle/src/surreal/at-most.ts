import { pause } from '../delay.ts'

/**
 * Resolves once `work`, which never rejects, is done or the deadline is reached; rejects with the signal's reason. For what a lease does for
 * as long as it takes, letting the program end meanwhile: whoever waits for it here does neither.
 */
export async function atMost(work: Promise<void>, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController()
  const given = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal])
  try {
    await Promise.race([work, pause(deadline - performance.now(), given)])
  } finally {
    done.abort()
  }
}
