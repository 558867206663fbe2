import { isRetryable } from '../drivers/surreal-writes.ts'

const RETRIES = 20
const PAUSE_MS = 10

/**
 * Repeats what failed because another transaction was in the way: such an error says that nothing was done and that it can be
 * retried. After twenty times the error is thrown, and at once when `worthwhile` says no.
 */
export async function retryable<T>(act: () => Promise<T>, worthwhile: () => boolean = () => true): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt > RETRIES || !isRetryable(String(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())))
      if (!worthwhile()) throw error
    }
  }
}
