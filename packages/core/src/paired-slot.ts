import type { Slot } from './slot-backend.ts'

/**
 * A slot of the old pool and one of the new pool, held and given back together. It has the new one's number, and no file or descriptor:
 * neither stands for both.
 */
export class PairedSlot implements Slot {
  readonly id: number
  readonly lost: AbortSignal
  /** The new one's: it grows with each holder of that slot, whatever phase it is in. */
  readonly fence: number | undefined
  readonly #old: Slot
  readonly #next: Slot
  #releasing: Promise<void> | undefined

  constructor(old: Slot, next: Slot) {
    this.#old = old
    this.#next = next
    this.id = next.id
    this.fence = next.fence
    this.lost = AbortSignal.any([old.lost, next.lost])
  }

  /** Of which pools it is a slot, and which: for those who have to tell apart users of the one, the other and both. */
  get parts(): { readonly old: Slot; readonly next: Slot } {
    return { old: this.#old, next: this.#next }
  }

  async verify(): Promise<void> {
    // Half a slot is none.
    if (this.lost.aborted) throw this.lost.reason
    await this.#old.verify()
    await this.#next.verify()
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release()
    return this.#releasing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  async #release(): Promise<void> {
    try {
      await this.#next.release()
    } finally {
      await this.#old.release()
    }
  }
}
