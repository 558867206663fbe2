import { ShortCalls, type Turn } from './short-calls.ts'

interface Waiting {
  readonly start: (turn: Turn) => void
}

/** So long after two callers have come in turns they are taken to be at work side by side. */
const SIDE_BY_SIDE_MS = 100

export interface Places {
  readonly all: number
  /** For one caller, while others are at work too. */
  readonly ofOne: number
}

/**
 * Who is next, when more calls want to be carried out than the engine can work on at once. Each caller in turn has one started, in
 * the order in which they came: one with ten thousand calls delays another one's by a few of them, not by ten thousand. And while there
 * are others, one caller has a part of the places only: each call at work keeps a processor from those who come next, and from us, who
 * have to hear and answer them.
 *
 * Only the start is regulated: a call that lasts gives its place away (`ShortCalls`).
 */
export class FairTurns {
  readonly #places: Places
  readonly #short = new ShortCalls(() => this.#startNext())
  /** Who waits, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #lastCaller: string | undefined
  #sideBySideUntil = 0

  constructor(places: Places) {
    this.#places = places
  }

  /** A turn at once, if there is a place; a promise of one otherwise. Caller: `leave` with it, once. */
  enter(caller: string): Turn | Promise<Turn> {
    if (this.#lastCaller !== caller) {
      if (this.#lastCaller !== undefined) this.#sideBySideUntil = performance.now() + SIDE_BY_SIDE_MS
      this.#lastCaller = caller
    }
    if (!this.#waiting.has(caller) && this.#hasPlaceFor(caller)) return this.#short.enter(caller)
    return new Promise((start) => {
      const ofCaller = this.#waiting.get(caller)
      if (ofCaller === undefined) this.#waiting.set(caller, [{ start }])
      else ofCaller.push({ start })
      this.#short.want()
    })
  }

  leave(turn: Turn): void {
    if (this.#short.leave(turn)) this.#startNext()
  }

  #hasPlaceFor(caller: string): boolean {
    if (this.#short.taken >= this.#places.all) return false
    return this.#short.takenBy(caller) < this.#places.ofOne || performance.now() >= this.#sideBySideUntil
  }

  #startNext(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [caller, calls] = next
      // To the end of the line, if it has more.
      this.#waiting.delete(caller)
      calls.shift()?.start(this.#short.enter(caller))
      if (calls.length > 0) this.#waiting.set(caller, calls)
    }
    if (this.#waiting.size > 0) this.#short.want()
  }

  /** Of those who may have one started. Few are passed over: each of them has `ofOne` places. */
  #next(): [caller: string, calls: Waiting[]] | undefined {
    if (this.#short.taken >= this.#places.all) return undefined
    for (const waiting of this.#waiting) if (this.#hasPlaceFor(waiting[0])) return waiting
    return undefined
  }
}
