import { translateErrno } from './errno.ts'
import type { Slot } from './slot-backend.ts'
import { SlotLostError } from './slot-errors.ts'
import type { TakenSlot } from './slot-store.ts'

/**
 * Everything this process holds. A slot lives until it is released, not until nobody refers to it any more: a store may keep
 * its lock in an object whose finalizer would let go of it. An array in which each slot knows its place: sets cost as much as a
 * system call here.
 */
const held: HeldSlot[] = []

const RELEASED: Promise<void> = Promise.resolve()

/** The slot that a claim returns. */
export class HeldSlot implements Slot {
  readonly #taken: TakenSlot
  readonly #pool: object
  /** Its place in `held`; -1: it was released. */
  #at: number
  /** Made when first asked for: it costs as much as several of a claim's system calls. */
  #lost: AbortController | undefined
  #lostBecause: SlotLostError | undefined

  /** `pool` is who releases it if nobody else does; see `heldBy`. */
  constructor(taken: TakenSlot, pool: object) {
    this.#taken = taken
    this.#pool = pool
    this.#at = held.push(this) - 1
    taken.onLost?.((reason) => {
      if (this.#at !== -1) this.#lose(reason)
    })
  }

  /** The slots of `pool` that were not released. */
  static heldBy(pool: object): readonly HeldSlot[] {
    return held.filter((slot) => slot.#pool === pool)
  }

  get id(): number {
    return this.#taken.id
  }

  get path(): string | undefined {
    return this.#taken.path
  }

  get fd(): number | undefined {
    return this.#at === -1 ? undefined : this.#taken.fd
  }

  get fence(): number | undefined {
    return this.#taken.fence
  }

  get lost(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController()
      if (this.#lostBecause !== undefined) this.#lost.abort(this.#lostBecause)
    }
    return this.#lost.signal
  }

  async verify(): Promise<void> {
    if (this.#lostBecause !== undefined) throw this.#lostBecause
    const { id, path } = this.#taken
    if (this.#at === -1) throw new SlotLostError(id, path, 'it was released')
    const reason = this.#whyLost()
    if (reason !== undefined) throw this.#lose(reason)
  }

  #whyLost(): string | undefined {
    try {
      return this.#taken.whyLost()
    } catch (error) {
      throw translateErrno(error, 'look at the slot', this.#taken.path ?? String(this.#taken.id))
    }
  }

  release(): Promise<void> {
    if (this.#at !== -1) {
      this.#leave()
      this.#taken.release()
    }
    return RELEASED
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  /** What it holds is kept until release(): whoever watches it still sees that its holder is alive. */
  #lose(reason: string): SlotLostError {
    if (this.#lostBecause === undefined) {
      this.#lostBecause = new SlotLostError(this.#taken.id, this.#taken.path, reason)
      this.#lost?.abort(this.#lostBecause)
    }
    return this.#lostBecause
  }

  #leave(): void {
    const last = held.pop()
    // The last one moves into the place that becomes free.
    if (last !== undefined && last !== this) {
      held[this.#at] = last
      last.#at = this.#at
    }
    this.#at = -1
  }
}
