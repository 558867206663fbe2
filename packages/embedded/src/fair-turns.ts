/** Has a place in the engine. */
export interface Turn {
  /** By `performance.now()`. */
  readonly since: number
}

interface Waiting {
  readonly start: (turn: Turn) => void
}

/** A call that takes longer gives its place to others, and goes on. */
const LONG_MS = 20

/**
 * Who is next, when more calls want to be carried out than the engine can work on at once. Each caller in turn has one started, in
 * the order in which they came: one with ten thousand calls delays another one's by a few of them, not by ten thousand.
 *
 * Only the start is regulated. A call that runs for longer than a moment gives its place away, so calls that wait for time to pass,
 * or for each other, stop nobody.
 */
export class FairTurns {
  readonly #places: number
  /** Those that have a place, the oldest first. */
  readonly #short = new Set<Turn>()
  /** Who waits, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #timer: NodeJS.Timeout | undefined

  constructor(places: number) {
    this.#places = places
  }

  /** A turn at once, if there is a place; a promise of one otherwise. Caller: `leave` with it, once. */
  enter(caller: string): Turn | Promise<Turn> {
    if (this.#short.size < this.#places) return this.#start()
    return new Promise((start) => {
      const ofCaller = this.#waiting.get(caller)
      if (ofCaller === undefined) this.#waiting.set(caller, [{ start }])
      else ofCaller.push({ start })
      this.#timer ??= setTimeout(() => this.#passLong(), LONG_MS)
    })
  }

  leave(turn: Turn): void {
    if (this.#short.delete(turn)) this.#startNext()
  }

  #start(): Turn {
    const turn = { since: performance.now() }
    this.#short.add(turn)
    return turn
  }

  #startNext(): void {
    while (this.#short.size < this.#places) {
      const [next] = this.#waiting
      if (next === undefined) return
      const [caller, calls] = next
      // To the end of the line, if it has more.
      this.#waiting.delete(caller)
      calls.shift()?.start(this.#start())
      if (calls.length > 0) this.#waiting.set(caller, calls)
    }
  }

  #passLong(): void {
    const now = performance.now()
    for (const turn of this.#short) {
      if (now - turn.since < LONG_MS) break
      this.#short.delete(turn)
    }
    this.#startNext()
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => this.#passLong(), LONG_MS) : undefined
  }
}
