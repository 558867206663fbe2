interface Waiting {
  readonly alone: boolean
  readonly start: () => void
}

/**
 * The order of the calls in one session: those that change it run alone, the others side by side; who came first goes first.
 *
 * The engine takes a session's lock twice in one query. A change that arrives between the two waits for the first and keeps
 * the second waiting: that session, and the engine's own stop, would hang for ever.
 */
export class CallOrder {
  readonly #waiting: Waiting[] = []
  #running = 0
  #alone = false

  /** Runs `call` beside other shared calls. */
  shared<T>(call: () => Promise<T>): Promise<T> {
    return this.#run(false, call)
  }

  /** Runs `call` when every call before it has finished, and no other until it has. */
  alone<T>(call: () => Promise<T>): Promise<T> {
    return this.#run(true, call)
  }

  async #run<T>(alone: boolean, call: () => Promise<T>): Promise<T> {
    if (this.#alone || this.#waiting.length > 0 || (alone && this.#running > 0)) {
      await new Promise<void>((resolve) => this.#waiting.push({ alone, start: resolve }))
    } else {
      this.#running++
      this.#alone = alone
    }
    try {
      return await call()
    } finally {
      this.#running--
      this.#alone = false
      this.#startNext()
    }
  }

  /** Counts those it starts as running at once, so that nobody slips in before they go on. */
  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#alone || (next.alone && this.#running > 0)) return
      this.#waiting.shift()
      this.#running++
      this.#alone = next.alone
      next.start()
    }
  }
}
