import { isSame, type Process } from './processes.ts'

/** Which servers may end although somebody has a lease on them: those that a fault of this round has struck, or may have. */
export class Excuses {
  readonly #struck: Process[] = []
  #everybody: 'until-all-is-well' | 'whenever' | undefined

  strike(...servers: readonly Process[]): void {
    this.#struck.push(...servers)
  }

  /** Any server may end from now on: until all is well again, or in this round whenever it be. */
  everybody(how: 'until-all-is-well' | 'whenever'): void {
    if (this.#everybody !== 'whenever') this.#everybody = how
  }

  allIsWell(): void {
    if (this.#everybody === 'until-all-is-well') this.#everybody = undefined
  }

  covers(server: Process): boolean {
    return this.#everybody !== undefined || this.#struck.some((one) => isSame(one, server))
  }
}
