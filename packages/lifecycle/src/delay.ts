/** What a wait does to a program that has nothing else to do: keep it running until the wait is over, or let it exit. */
export type KeepAlive = 'keep-alive' | 'let-exit'

/** The longest time that a timer takes; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** For callers who wait for ever, too: what a timer or `AbortSignal.timeout()` takes, whole and not negative. */
export function timerMs(ms: number): number {
  return Math.min(LONGEST_MS, Math.ceil(Math.max(0, ms)))
}

/** Waits; rejects with the signal's reason. `wake` cuts it short. Leaves no timer and no listener behind. */
export function delay(ms: number, keepAlive: KeepAlive, signal: AbortSignal, wake?: Wakeable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (wake !== undefined) wake.up = undefined
    }
    const onAbort = (): void => {
      end()
      reject(signal.reason)
    }
    const done = (): void => {
      end()
      resolve()
    }
    const timer = setTimeout(done, timerMs(ms))
    if (keepAlive === 'let-exit') timer.unref()
    signal.addEventListener('abort', onAbort, { once: true })
    if (wake !== undefined) wake.up = done
  })
}

/** Whoever sees something happen calls `up`, if somebody sleeps on it. */
export interface Wakeable {
  up: (() => void) | undefined
}

/** A wait that keeps the process running. */
export function pause(ms: number, signal: AbortSignal = NEVER): Promise<void> {
  return delay(ms, 'keep-alive', signal)
}

const NEVER = new AbortController().signal
