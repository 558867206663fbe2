/** Readings in the order in which they are asked for, though some take a while: what comes later may not overtake. */
export class ReadingOrder {
  /** Under way, the last one asked for. */
  #last: Promise<unknown> | undefined

  /** At once, if nothing is being read; `read` may not throw or reject. */
  next<T>(read: () => T | Promise<T>): T | Promise<T> {
    const reading = this.#last === undefined ? read() : this.#last.then(read)
    if (!(reading instanceof Promise)) return reading
    this.#last = reading
    return reading.finally(() => {
      if (this.#last === reading) this.#last = undefined
    })
  }
}
