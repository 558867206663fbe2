/** A sleep that any number of events can cut short; an event while nobody sleeps cuts the next sleep short. */
export class Wake {
  #pending = false
  #wake: (() => void) | undefined

  up(): void {
    this.#pending = true
    this.#wake?.()
  }

  /** Resolves after `ms`, or as soon as something happened since the last sleep. Keeps the process alive. */
  async sleep(ms: number): Promise<void> {
    if (!this.#pending && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    this.#pending = false
  }
}
