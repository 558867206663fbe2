import type { Slot } from './slot-backend.ts'
import { SlotLostError } from './slot-errors.ts'
import type { TakenSlot } from './slot-store.ts'

/**
 * Everything this process holds. A slot lives until it is released, not until nobody refers to it any more: a store may keep
 * its lock in an object whose finalizer would let go of it.
 */
const heldSlots = new Set<Slot>()

const RELEASED: Promise<void> = Promise.resolve()

/** The slot that a claim returns. */
export class HeldSlot implements Slot {
  readonly #taken: TakenSlot
  readonly #forgotten: (slot: HeldSlot) => void
  #held = true
  /** Made when first asked for: it costs as much as several of a claim's system calls. */
  #lost: AbortController | undefined
  #lostBecause: SlotLostError | undefined

  /** `forgotten` is called once, on release. */
  constructor(taken: TakenSlot, forgotten: (slot: HeldSlot) => void) {
    this.#taken = taken
    this.#forgotten = forgotten
    heldSlots.add(this)
  }

  get id(): number {
    return this.#taken.id
  }

  get path(): string | undefined {
    return this.#taken.path
  }

  get fd(): number | undefined {
    return this.#held ? this.#taken.fd : undefined
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
    if (!this.#held) throw new SlotLostError(id, path, 'it was released')
    const reason = this.#taken.whyLost()
    if (reason === undefined) return
    // What it holds is kept until release(): whoever watches it still sees that its holder is alive.
    this.#lostBecause = new SlotLostError(id, path, reason)
    this.#lost?.abort(this.#lostBecause)
    throw this.#lostBecause
  }

  release(): Promise<void> {
    if (this.#held) {
      this.#held = false
      this.#taken.release()
      heldSlots.delete(this)
      this.#forgotten(this)
    }
    return RELEASED
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
