import { ShortCalls, type Turn } from './short-calls.ts'

interface Waiting {
  readonly start: (turn: Turn) => void
}

/** So long after the call of one who asks one thing after the other, the next one is expected. */
const EXPECTED_MS = 100

export interface Places {
  readonly all: number
  /** While somebody asks one thing after the other: beyond so many, no caller has more than one. */
  readonly few: number
}

/**
 * Who is next, when more calls want to be carried out than the engine can work on at once. Each caller in turn has one started, in
 * the order in which they came: one with ten thousand calls delays another one's by a few of them, not by ten thousand. And while
 * others ask one thing after the other, those who ask many at once have a few places only: each call at work keeps a processor from the
 * next question, and from us, who have to hear and answer it.
 *
 * Only the start is regulated: a call that lasts gives its place away (`ShortCalls`).
 */
export class FairTurns {
  readonly #places: Places
  readonly #short = new ShortCalls(() => this.#startNext())
  /** Who waits, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>()
  /** Who has had several calls at once, and still has one. */
  readonly #busy = new Set<string>()
  #expectedUntil = 0

  constructor(places: Places) {
    this.#places = places
  }

  /** A turn at once, if there is a place; a promise of one otherwise. Caller: `leave` with it, once. */
  enter(caller: string): Turn | Promise<Turn> {
    const ofCaller = this.#waiting.get(caller)
    if (ofCaller !== undefined || this.#short.takenBy(caller) > 0) this.#busy.add(caller)
    if (ofCaller === undefined && this.#hasPlaceFor(caller)) return this.#short.enter(caller)
    return new Promise((start) => {
      if (ofCaller === undefined) this.#waiting.set(caller, [{ start }])
      else ofCaller.push({ start })
      this.#short.want()
    })
  }

  leave(turn: Turn): void {
    const hadPlace = this.#short.leave(turn)
    const { caller, since } = turn
    if (this.#short.takenBy(caller) === 0 && !this.#waiting.has(caller) && !this.#busy.delete(caller))
      this.#expectedUntil = since + EXPECTED_MS
    if (hadPlace) this.#startNext()
  }

  #hasPlaceFor(caller: string): boolean {
    const { taken } = this.#short
    if (taken >= this.#places.all) return false
    return taken < this.#places.few || this.#short.takenBy(caller) === 0 || performance.now() >= this.#expectedUntil
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

  /** Of those who may have one started. Few are passed over: each of them has a place. */
  #next(): [caller: string, calls: Waiting[]] | undefined {
    if (this.#short.taken >= this.#places.all) return undefined
    for (const waiting of this.#waiting) if (this.#hasPlaceFor(waiting[0])) return waiting
    return undefined
  }
}
