import { isSame, type Process } from './processes.ts'

/** Which servers may end although somebody has a lease on them: those that a fault of this round has struck, or may have. */
export class Excuses {
  readonly #struck: Process[] = []
  #everybody = false

  strike(...servers: readonly Process[]): void {
    this.#struck.push(...servers)
  }

  /** From now on until `everybody(false)` any server may end. */
  everybody(may: boolean): void {
    this.#everybody = may
  }

  covers(server: Process): boolean {
    return this.#everybody || this.#struck.some((one) => isSame(one, server))
  }
}
