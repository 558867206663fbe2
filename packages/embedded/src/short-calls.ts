/** A call that has a place. */
export interface Turn {
  readonly caller: string
  /** By `performance.now()`. */
  readonly since: number
}

/** A call that takes longer gives its place to others, and goes on. */
const LONG_MS = 20

/**
 * A number of places for calls that are short, as most are. One that runs for longer than a moment gives its place away, so calls that
 * wait for time to pass, or for each other, stop nobody.
 */
export class ShortCalls {
  readonly #freed: () => void
  /** Those that have a place, the oldest first. */
  readonly #turns = new Set<Turn>()
  readonly #ofCaller = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  /** `freed` is told, after a `want`, that long calls may have given places away. */
  constructor(freed: () => void) {
    this.#freed = freed
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#turns.size
  }

  takenBy(caller: string): number {
    return this.#ofCaller.get(caller) ?? 0
  }

  /** Caller: `leave` with it, once. */
  enter(caller: string): Turn {
    const turn = { caller, since: performance.now() }
    this.#turns.add(turn)
    this.#ofCaller.set(caller, this.takenBy(caller) + 1)
    return turn
  }

  /** False: it had given its place away before. */
  leave(turn: Turn): boolean {
    if (!this.#turns.delete(turn)) return false
    const left = this.takenBy(turn.caller) - 1
    if (left === 0) this.#ofCaller.delete(turn.caller)
    else this.#ofCaller.set(turn.caller, left)
    return true
  }

  /** Somebody waits for a place. Caller: say it again as long as that is so, at each `freed`. */
  want(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#passLong()
      this.#freed()
    }, LONG_MS)
  }

  #passLong(): void {
    const now = performance.now()
    for (const turn of this.#turns) {
      if (now - turn.since < LONG_MS) break
      this.leave(turn)
    }
  }
}
