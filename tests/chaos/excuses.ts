import { isSame, type Process } from './processes.ts'

/** Which servers may end although somebody has a lease on them: those that a fault of this round has struck, or may have. */
export class Excuses {
  readonly #struck: Process[] = []
  #everybody = false

  strike(...servers: readonly Process[]): void {
    this.#struck.push(...servers)
  }

  /** Any server may end from now on, until all is well again. */
  everybody(): void {
    this.#everybody = true
  }

  allIsWell(): void {
    this.#everybody = false
  }

  covers(server: Process): boolean {
    return this.#everybody || this.#struck.some((one) => isSame(one, server))
  }
}
