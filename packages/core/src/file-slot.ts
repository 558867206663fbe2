import type { FileLock } from './file-locker.ts'
import type { Slot } from './slot-backend.ts'
import { SlotLostError } from './slot-errors.ts'

/**
 * Everything this process holds. A slot lives until it is released, not until nobody refers to it any more: a locker may keep
 * its lock in an object whose finalizer would let go of it.
 */
const heldSlots = new Set<Slot>()

const RELEASED: Promise<void> = Promise.resolve()

/** A slot whose lock is on a file. */
export class FileSlot implements Slot {
  readonly id: number
  readonly #lock: FileLock
  readonly #forgotten: (slot: FileSlot) => void
  #held = true
  /** Made when first asked for: it costs as much as several of a claim's system calls. */
  #lost: AbortController | undefined
  #lostBecause: SlotLostError | undefined

  /** `forgotten` is called once, on release. */
  constructor(id: number, lock: FileLock, forgotten: (slot: FileSlot) => void) {
    this.id = id
    this.#lock = lock
    this.#forgotten = forgotten
    heldSlots.add(this)
  }

  get path(): string {
    return this.#lock.path
  }

  get fd(): number | undefined {
    return this.#held ? this.#lock.fd : undefined
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
    if (!this.#held) throw new SlotLostError(this.id, this.path, 'it was released')
    if (this.#lock.isCurrent()) return
    // The lock is kept until release(): whoever watched the file still sees that its holder is alive.
    this.#lostBecause = new SlotLostError(this.id, this.path, `${this.path} was deleted or replaced`)
    this.#lost?.abort(this.#lostBecause)
    throw this.#lostBecause
  }

  release(): Promise<void> {
    if (this.#held) {
      this.#held = false
      // Released by closing, never by unlocking: a child that was given the descriptor keeps the slot.
      this.#lock.release()
      heldSlots.delete(this)
      this.#forgotten(this)
    }
    return RELEASED
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
