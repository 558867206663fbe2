import type { Writable } from 'node:stream'

/** An answer waits no longer for others. */
const AT_MOST_MS = 1

/**
 * Sends small answers together: the system call, and waking the client up, cost more than the answer itself. What is written is held back,
 * for a millisecond at most, until there is as much of it as is still to come; then the client has work again while the rest is being
 * made, and neither side waits for the other.
 */
export class GatheredWrites {
  readonly #stream: Writable
  #timer: NodeJS.Timeout | undefined
  #written = 0
  #isLeaving = false

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Before something is written. */
  hold(): void {
    if (this.#timer !== undefined) return
    this.#stream.cork()
    this.#timer = setTimeout(() => this.#leave(), AT_MOST_MS)
  }

  /** After it was written: so many answers are still to come. What is written in this turn of the event loop leaves with it. */
  wrote(toCome: number): void {
    if (this.#timer === undefined) return
    this.#written++
    if (this.#isLeaving || this.#written < toCome) return
    this.#isLeaving = true
    setImmediate(() => this.#leave())
  }

  #leave(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#written = 0
    this.#isLeaving = false
    this.#stream.uncork()
  }
}
