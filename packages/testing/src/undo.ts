/** What has been done so far, and how it is undone: the last first. */
export class Undo {
  #steps: (() => void | PromiseLike<void>)[] = []

  /** `step` undoes what was just done. */
  push(step: () => void | PromiseLike<void>): void {
    this.#steps.push(step)
  }

  /** Undoes all of it, once: a step that fails keeps none of the others from being taken, and is thrown in the end. */
  async run(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `could not be undone: ${failures.map(String).join('; ')}`)
  }

  /** As `run`, after `error`, which is thrown whatever comes of it. */
  async runAfter(error: unknown): Promise<never> {
    await this.run().catch((failure: unknown) => console.warn(failure))
    throw error
  }
}
