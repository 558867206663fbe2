import type { ReconnectEvent } from './lease.ts'

type Listener<Server> = (event: ReconnectEvent<Server>) => void

/**
 * Who wants to know of reconnections.
 *
 * Guarantee: each listener is called once for each of them, unless it was taken away before its turn, also by another listener. What one
 * throws keeps neither the others nor the lease from going on, and is an uncaught exception of the program, as with a listener of `lost`.
 */
export class ReconnectListeners<Server> {
  readonly #listeners = new Set<Listener<Server>>()

  /** Returns what takes the listener away. */
  add(listener: Listener<Server>): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(event: ReconnectEvent<Server>): void {
    // Not the set itself: a listener that takes itself away and comes back would be its own successor, for ever.
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** Nobody is told of anything any more. */
  clear(): void {
    this.#listeners.clear()
  }
}
