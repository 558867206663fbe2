/**
 * So many slots of a pool are waited for in the kernel, each by a thread of its own (some kilobytes). Larger pools are waited for
 * at a random part, and looked at now and then as a whole.
 */
const MAX_WAITS = 128
/** Why a wait is called off. One for all: an abort without a reason makes one with a stack, each time. */
const NOBODY_WAITS = new Error('nobody waits for a slot any more')

/** How one slot is waited for. `L`: what the kernel hands over; `T`: what a claim gets. */
export interface SlotWaits<L, T> {
  readonly size: number
  /** Waits until this process has the slot's lock. Rejects with the signal's reason; then no lock is left behind. */
  lockWhenFree(slot: number, options: { readonly signal: AbortSignal }): Promise<L>
  /** The slot; `undefined`: what was locked is not the slot any more (its file was deleted or replaced meanwhile). */
  accept(slot: number, lock: L): T | undefined
  /** Lets go of what is not accepted. */
  release(lock: L): void
}

interface Claimer<T> {
  resolve(taken: T): void
  reject(error: unknown): void
}

/**
 * Hands freed slots to the claims of one pool that wait for one. While anybody waits, the kernel is asked for the lock of every
 * slot; it wakes one waiter for each lock that is freed, so nobody has to poll and no herd runs. Whoever waited longest gets it.
 *
 * A lock that comes when nobody waits any more is released at once: for that moment others find the slot in use. The other slots'
 * waits are called off only after the claimer has gone on with the one it got: that takes a hundred times as long as the wake-up.
 */
export class FreedSlots<L, T> {
  /** Is every slot waited for? If not, a freed slot may have to be found by looking. */
  readonly coversAll: boolean
  readonly #slots: SlotWaits<L, T>
  readonly #claimers = new Set<Claimer<T>>()
  readonly #waits = new Map<number, AbortController>()
  /** All waits that have not ended, also those that were called off. */
  readonly #running = new Set<Promise<void>>()

  constructor(slots: SlotWaits<L, T>) {
    this.#slots = slots
    this.coversAll = slots.size <= MAX_WAITS
  }

  /** The next slot that is freed, locked; rejects with the signal's reason, once nothing can be handed over any more. */
  async take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    let leave = (): void => {}
    const handedOver = new Promise<T>((resolve, reject) => {
      const claimer: Claimer<T> = { resolve, reject }
      leave = () => {
        this.#claimers.delete(claimer)
        reject(signal.reason)
      }
      this.#claimers.add(claimer)
    })
    signal.addEventListener('abort', leave)
    this.#waitForAll()
    try {
      return await handedOver
    } catch (error) {
      await this.#callOffIfUnused()
      throw error
    } finally {
      // Once whoever got it has gone on: that takes as long as all that the kernel did.
      setImmediate(() => signal.removeEventListener('abort', leave))
    }
  }

  #waitForAll(): void {
    const { size } = this.#slots
    const first = this.coversAll ? 0 : Math.floor(Math.random() * size)
    for (let n = 0; n < size && this.#waits.size < MAX_WAITS; n++) {
      const slot = (first + n) % size
      if (!this.#waits.has(slot)) this.#waitFor(slot)
    }
  }

  #waitFor(slot: number): void {
    const controller = new AbortController()
    this.#waits.set(slot, controller)
    const ended = this.#run(slot, controller).then(() => {
      this.#running.delete(ended)
    })
    this.#running.add(ended)
  }

  /** Waits for one slot, again and again, until it is called off. Never rejects. */
  async #run(slot: number, controller: AbortController): Promise<void> {
    const { signal } = controller
    try {
      do {
        this.#handOver(slot, await this.#slots.lockWhenFree(slot, { signal }))
      } while (!signal.aborted && this.#claimers.size > 0)
      if (!signal.aborted) this.#waits.delete(slot)
      setImmediate(() => {
        if (this.#claimers.size === 0) this.#callOff()
      })
    } catch (error) {
      // No thread or descriptor left, say, or the directory is gone: the other slots may do. Without any, claimers learn why.
      if (signal.aborted) return
      this.#waits.delete(slot)
      if (this.#waits.size === 0) this.#refuseAll(error)
    }
  }

  /** None of them may stay: what a later wait brings would be handed to somebody who waits no more, and be nobody's. */
  #refuseAll(error: unknown): void {
    const claimers = [...this.#claimers]
    this.#claimers.clear()
    for (const claimer of claimers) claimer.reject(error)
  }

  #handOver(slot: number, lock: L): void {
    const [claimer] = this.#claimers
    if (claimer === undefined) {
      this.#slots.release(lock)
      return
    }
    try {
      const taken = this.#slots.accept(slot, lock)
      if (taken === undefined) {
        // The next wait opens the file that is there now.
        this.#slots.release(lock)
        return
      }
      this.#claimers.delete(claimer)
      claimer.resolve(taken)
    } catch (error) {
      this.#slots.release(lock)
      this.#claimers.delete(claimer)
      claimer.reject(error)
    }
  }

  #callOff(): void {
    for (const controller of this.#waits.values()) controller.abort(NOBODY_WAITS)
    this.#waits.clear()
  }

  /** Resolves when no wait that was called off can end with a lock any more. */
  async #callOffIfUnused(): Promise<void> {
    if (this.#claimers.size > 0) return
    this.#callOff()
    await Promise.all(this.#running)
  }
}
