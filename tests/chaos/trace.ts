/** What happened in a round, in order: the text of a finding. */
export class Trace {
  readonly #began: number = performance.now()
  readonly #lines: string[] = []

  add(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(3).padStart(8)
    this.#lines.push(`${seconds} ${text}`)
  }

  text(): string {
    return this.#lines.join('\n')
  }
}
