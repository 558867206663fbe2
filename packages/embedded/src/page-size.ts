/** A page never has more. Less than the engine reads at once, which goes on for long where it has to read again. */
export const MOST_ROWS = 250
/** In characters. */
const WANTED_LENGTH = 1024 * 1024
/** Nothing is known of the first rows. */
const FIRST_ROWS = 4
/** Others may be longer than those before them: a page is not much larger than the one before. */
const MAX_GROWTH = 4

/**
 * How many rows of a table to read at once, so that their text is about a mebibyte long: learnt from the rows before them.
 *
 * Unspecified: how long a page is whose rows are longer than those before; it has 250 rows at most.
 */
export class PageSize {
  #rows = FIRST_ROWS

  get rows(): number {
    return this.#rows
  }

  /** So many characters were `rows` rows long. */
  learn(rows: number, length: number): void {
    const fitting = Math.floor((WANTED_LENGTH * rows) / Math.max(1, length))
    this.#rows = Math.max(1, Math.min(fitting, this.#rows * MAX_GROWTH, MOST_ROWS))
  }
}
