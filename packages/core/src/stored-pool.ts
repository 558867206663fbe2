import { setMaxListeners } from 'node:events'
import { delay, jittered } from './delay.ts'
import { errnoOf } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { HeldSlot } from './held-slot.ts'
import { linkSignals } from './link-signals.ts'
import type { Slot, SlotInfo, SlotPool } from './slot-backend.ts'
import { PoolClosedError, SlotProbedError, SlotsExhaustedError } from './slot-errors.ts'
import type { SlotStore, TakenSlot, UsedSlot } from './slot-store.ts'

/** A claimer that waits looks again after this, growing to what the store says. */
const FIRST_WAIT_MS = 10
/** How often `whenEmpty` looks where the kernel cannot wake us. */
const EMPTY_POLL_MS = 500

/** The pool on a store of slots: waiting, time-outs, closing and errors, the same for every backend. */
export class StoredPool implements SlotPool {
  readonly dir: string
  readonly backend: string
  readonly size: number
  readonly #store: SlotStore
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor(backend: string, dir: string, size: number, store: SlotStore) {
    this.backend = backend
    this.dir = dir
    this.size = size
    this.#store = store
    // Each claim and each wait listens to it.
    setMaxListeners(0, this.#closed.signal)
  }

  async tryClaim(): Promise<Slot | undefined> {
    return await this.#claimOnce(this.#closed.signal)
  }

  async claim(options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<Slot> {
    const timeoutMs = options?.timeoutMs ?? 0
    if (!(timeoutMs >= 0)) throw new TypeError(`timeoutMs must not be negative: ${String(timeoutMs)}`)
    if (options?.signal === undefined) {
      const claiming = this.#claimOnce(this.#closed.signal)
      // No await on the usual way: it costs as much as a system call.
      return claiming instanceof Promise
        ? await this.#claimPatiently(claiming, timeoutMs, this.#closed.signal)
        : claiming
    }
    using either = linkSignals(this.#closed.signal, options.signal)
    return await this.#claimPatiently(this.#claimOnce(either.signal), timeoutMs, either.signal)
  }

  async held(): Promise<readonly SlotInfo[]> {
    this.#closed.signal.throwIfAborted()
    return [...this.#store.used()].map((used) => used.info()).sort((a, b) => a.slot - b.slot)
  }

  async count(): Promise<number> {
    this.#closed.signal.throwIfAborted()
    let count = 0
    for (const _ of this.#store.used()) count++
    return count
  }

  async provenEmpty(): Promise<boolean> {
    this.#closed.signal.throwIfAborted()
    // All of them, also once one was found: whoever is seen now stays seen, whatever happens to the files.
    const used = [...this.#store.used()]
    if (used.some(({ error }) => error === undefined)) return false
    const [unproven] = used
    if (unproven !== undefined) throw unproven.error
    return true
  }

  async whenEmpty(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    using either = linkSignals(this.#closed.signal, options.signal)
    const { signal } = either
    for (;;) {
      signal.throwIfAborted()
      const holder = this.#anyHolder()
      if (holder === undefined) return
      await this.#untilFree(holder, signal)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#closed.abort(new PoolClosedError(this.dir))
    const slots = HeldSlot.heldBy(this)
    // Each, also when one of them cannot be.
    const released = await Promise.allSettled(slots.map(async (slot) => await slot.release()))
    this.#store.close()
    for (const one of released) if (one.status === 'rejected') throw one.reason
  }

  /** As `takeFree`: the usual claim is one synchronous call, so that no promise stands between it and its system calls. */
  #claimOnce(signal: AbortSignal): Slot | Promise<Slot | undefined> {
    signal.throwIfAborted()
    const taking = this.#store.takeFree(signal)
    return taking instanceof Promise ? this.#heldOnceTaken(taking, signal) : this.#holdUnlessAborted(taking, signal)
  }

  async #heldOnceTaken(taking: Promise<TakenSlot | undefined>, signal: AbortSignal): Promise<Slot | undefined> {
    const taken = await taking
    return taken === undefined ? undefined : this.#holdUnlessAborted(taken, signal)
  }

  #holdUnlessAborted(taken: TakenSlot, signal: AbortSignal): Slot {
    if (signal.aborted) {
      taken.release()
      signal.throwIfAborted()
    }
    return new HeldSlot(taken, this)
  }

  async #claimPatiently(
    first: Slot | Promise<Slot | undefined>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Slot> {
    const giveUpAt = performance.now() + timeoutMs
    const slot = await unlessProbed(first, giveUpAt)
    if (slot !== undefined) return slot
    // Nobody wants to wait: no thread is started for it.
    if (timeoutMs === 0) throw this.#exhausted()
    return await this.#claimWhenFree(giveUpAt, signal)
  }

  /**
   * Two ways at once: the kernel hands over a slot that is freed, where the store has that, and we look again now and then,
   * which also finds what no kernel tells (a slot file that was deleted and can be made anew).
   */
  async #claimWhenFree(giveUpAt: number, signal: AbortSignal): Promise<Slot> {
    const handover = new Handover(this.#store, signal)
    try {
      for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, this.#store.lookAgainMs)) {
        const leftMs = giveUpAt - performance.now()
        if (leftMs <= 0) throw this.#exhausted()
        await handover.orAfter(Math.min(jittered(wait), leftMs))
        const taken = handover.take()
        // The pool may have been closed since it was handed over.
        if (taken !== undefined) return this.#holdUnlessAborted(taken, signal)
        const slot = await unlessProbed(this.#claimOnce(signal), giveUpAt)
        if (slot !== undefined) return slot
      }
    } finally {
      await handover.end()
    }
  }

  #exhausted(): SlotsExhaustedError {
    return new SlotsExhaustedError(this.dir, this.size, this.#holdersNow())
  }

  /** For a message: what cannot be found out does not hide what the message is about. */
  #holdersNow(): readonly SlotInfo[] {
    try {
      return this.#store.glance()
    } catch (error) {
      if (isTrouble(error)) return []
      throw error
    }
  }

  /** `unknown`: the slots could not even be listed. */
  #anyHolder(): UsedSlot | 'unknown' | undefined {
    try {
      for (const used of this.#store.used()) return used
      return undefined
    } catch (error) {
      if (isTrouble(error)) return 'unknown'
      throw error
    }
  }

  /** Until the holder, or every holder, is gone; or for a while where nobody can say so. */
  async #untilFree(holder: UsedSlot | 'unknown', signal: AbortSignal): Promise<void> {
    const waits =
      this.#store.whenUnused?.({ signal }) ?? (holder === 'unknown' ? undefined : holder.whenFree?.({ signal }))
    if (waits !== undefined) {
      try {
        return await waits
      } catch (error) {
        // Whatever keeps the kernel from waking us: looking again finds out as well, only later.
        if (signal.aborted) throw error
      }
    }
    // Does not keep the process alive: whoever only waits for others to leave may leave first.
    await delay(jittered(EMPTY_POLL_MS), { signal, timer: 'unref' })
  }
}

/** One claim's wait for a slot that the kernel hands over. */
class Handover {
  readonly #signal: AbortSignal
  readonly #over = new AbortController()
  readonly #ended: Promise<void>
  #taken: TakenSlot | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined
  #hasEnded = false

  constructor(store: SlotStore, signal: AbortSignal) {
    this.#signal = signal
    this.#ended = this.#run(store)
  }

  /** Resolves when a slot was handed over, and after `ms` at the latest; rejects with the signal's reason. */
  orAfter(ms: number): Promise<void> {
    const signal = this.#signal
    return new Promise((resolve, reject) => {
      if (this.#taken !== undefined || this.#failure !== undefined) return resolve()
      if (signal.aborted) return reject(signal.reason)
      // Not a signal of its own, linked to the other: aborting one costs more than the kernel takes to wake us.
      const end = (): void => {
        // Not that of a later wait: an earlier one can end twice.
        if (this.#wake === end) this.#wake = undefined
        if (signal.aborted) reject(signal.reason)
        else resolve()
        // Once whoever was woken has gone on: that takes as long as all that the kernel did.
        setImmediate(() => {
          clearTimeout(timer)
          signal.removeEventListener('abort', end)
        })
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      this.#wake = end
    })
  }

  /** What was handed over meanwhile; throws what went wrong and should not. */
  take(): TakenSlot | undefined {
    if (this.#failure !== undefined) throw this.#failure.error
    const taken = this.#taken
    this.#taken = undefined
    return taken
  }

  /** Afterwards nothing waits any more, and nothing is held that `take` did not return. */
  async end(): Promise<void> {
    // Not needlessly: see `orAfter`.
    if (!this.#hasEnded) this.#over.abort()
    await this.#ended
    this.#taken?.release()
    this.#taken = undefined
  }

  async #run(store: SlotStore): Promise<void> {
    if (store.takeWhenFree === undefined) return
    const either = linkSignals(this.#signal, this.#over.signal)
    try {
      this.#taken = await store.takeWhenFree({ signal: either.signal })
    } catch (error) {
      // Called off, or the kernel cannot wake us (no thread, no descriptor left): looking again has to do.
      if (!either.signal.aborted && !isTrouble(error)) this.#failure = { error }
    }
    this.#hasEnded = true
    this.#wake?.()
    // As in `orAfter`.
    setImmediate(() => either[Symbol.dispose]())
  }
}

/** Probers are in the way for a while; only at the deadline they are a reason to give up. */
async function unlessProbed(claiming: Slot | Promise<Slot | undefined>, giveUpAt: number): Promise<Slot | undefined> {
  try {
    return await claiming
  } catch (error) {
    if (error instanceof SlotProbedError && performance.now() < giveUpAt) return undefined
    throw error
  }
}

function isTrouble(error: unknown): boolean {
  return errnoOf(error) !== undefined || error instanceof ProcrefError
}
