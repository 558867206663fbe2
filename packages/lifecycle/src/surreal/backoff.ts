const FIRST_MS = 100
const MAX_MS = 2_000
const FACTOR = 1.5
const JITTER = 0.25

/** Pauses between attempts that grow, until somebody wakes the sleeper. */
export class Backoff {
  #nextMs = FIRST_MS
  #wake: (() => void) | undefined

  /** Resolves after the next pause, or at once when woken. Keeps the process alive meanwhile. */
  pause(): Promise<void> {
    const ms = this.#nextMs * (1 + JITTER * (2 * Math.random() - 1))
    this.#nextMs = Math.min(this.#nextMs * FACTOR, MAX_MS)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  /** After a success the next pause is a short one again. */
  reset(): void {
    this.#nextMs = FIRST_MS
  }
}
