import { delay, jittered } from './delay.ts'
import { linkSignals } from './link-signals.ts'
import { PairedSlot } from './paired-slot.ts'
import type { Slot, SlotInfo, SlotPool } from './slot-backend.ts'
import { PoolClosedError, SlotProbedError, SlotsExhaustedError } from './slot-errors.ts'
import { holdersOfEither } from './slot-holders.ts'

/** Claimers that were in each other's way come back after this, growing. */
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 200

export interface MigratingPoolParts {
  /** The directory of the old pool, and of everybody's pin. */
  readonly dir: string
  readonly backend: string
  /** Left out: nothing is left of the old world. */
  readonly old?: SlotPool
  readonly next: SlotPool
  /** Must a claim have a slot of both? False: of the new pool alone. */
  readonly claimsBoth: boolean
  /** As `SlotPool.isSeenBy`. */
  readonly isSeenBy?: NonNullable<SlotPool['isSeenBy']>
}

/**
 * Two pools as one. Where `claimsBoth`, a slot is two slots; in any case whoever has a slot of either is a holder.
 *
 * Why a claim of both never ends in a deadlock: whoever has one slot only tries for the other, and gives the first one back when that is
 * refused; nobody waits while holding. Old first, released last: the holders of a new slot are among those of an old one, so that beside
 * plain users of the old world whoever gets an old slot finds a new one free.
 */
export class MigratingPool implements SlotPool {
  readonly dir: string
  readonly backend: string
  readonly size: number
  readonly isSeenBy?: NonNullable<SlotPool['isSeenBy']>
  readonly #old: SlotPool | undefined
  readonly #next: SlotPool
  readonly #claimed: SlotPool | undefined
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor({ dir, backend, old, next, claimsBoth, isSeenBy }: MigratingPoolParts) {
    if (isSeenBy !== undefined) this.isSeenBy = isSeenBy
    this.dir = dir
    this.backend = backend
    this.size = next.size
    this.#old = old
    this.#next = next
    this.#claimed = claimsBoth ? old : undefined
  }

  async tryClaim(): Promise<Slot | undefined> {
    const { signal } = this.#closed
    signal.throwIfAborted()
    const paired = await this.#tryPair(signal)
    return typeof paired === 'string' ? undefined : paired
  }

  async claim(options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {}): Promise<Slot> {
    const { timeoutMs = 0 } = options
    if (!(timeoutMs >= 0)) throw new TypeError(`timeoutMs must not be negative: ${String(timeoutMs)}`)
    this.#closed.signal.throwIfAborted()
    // Phase 2 and 3 never wait for the old pool: its permits, leaked ones too, are none of theirs.
    if (this.#claimed === undefined) return await this.#next.claim(options)
    using either = linkSignals(this.#closed.signal, options.signal)
    either.signal.throwIfAborted()
    return await this.#claimBoth(this.#claimed, performance.now() + timeoutMs, either.signal)
  }

  async held(): Promise<readonly SlotInfo[]> {
    this.#closed.signal.throwIfAborted()
    if (this.#old === undefined) return await this.#next.held()
    const [old, next] = await Promise.all([this.#old.held(), this.#next.held()])
    return holdersOfEither(old, next).sort((a, b) => a.slot - b.slot)
  }

  async count(): Promise<number> {
    this.#closed.signal.throwIfAborted()
    if (this.#old === undefined) return await this.#next.count()
    const [old, next] = await Promise.all([this.#old.count(), this.#next.count()])
    // Who holds both counts once. In phase 1 all have an old slot (beside plain users of the old world) or all have a new one (beside phase
    // 2), so it is the larger number. In phase 2 labels say who has both, where there are holders in both: no label makes a zero.
    if (this.#claimed !== undefined || old === 0 || next === 0) return Math.max(old, next)
    return (await this.held()).length
  }

  async provenEmpty(): Promise<boolean> {
    this.#closed.signal.throwIfAborted()
    // Both, also once one is found in use: whoever is seen now stays seen.
    const proofs = await Promise.allSettled(this.#pools().map((pool) => pool.provenEmpty()))
    if (proofs.some((proof) => proof.status === 'fulfilled' && !proof.value)) return false
    for (const proof of proofs) if (proof.status === 'rejected') throw proof.reason
    return true
  }

  async whenEmpty(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#closed.signal.throwIfAborted()
    using either = linkSignals(this.#closed.signal, options.signal)
    const { signal } = either
    do {
      for (const pool of this.#pools()) await pool.whenEmpty({ signal })
      // The first one may have been used again while the second one was waited for.
    } while (!(await this.#mayBeEmpty(signal)))
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
    await this.#next.close()
    await this.#old?.close()
  }

  #pools(): readonly SlotPool[] {
    return this.#old === undefined ? [this.#next] : [this.#old, this.#next]
  }

  async #mayBeEmpty(signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.count()) === 0
    } catch {
      signal.throwIfAborted()
      // What cannot be counted may be empty: it is a hint, and whoever relies on it asks for the proof.
      return true
    }
  }

  /** One slot of each pool that a claim needs, without waiting; or which pool has none to give. Keeps nothing then. */
  async #tryPair(signal: AbortSignal): Promise<Slot | 'old' | 'new'> {
    if (this.#claimed === undefined) return (await this.#next.tryClaim()) ?? 'new'
    const old = await this.#claimed.tryClaim()
    if (old === undefined) return 'old'
    return (await this.#pairWith(old, () => this.#next.tryClaim(), signal)) ?? 'new'
  }

  /** `claimed` and what `other` claims; `undefined`, and nothing is kept, where that is refused. Throws what it throws. */
  async #pairWith(
    claimed: Slot,
    other: () => Promise<Slot | undefined>,
    signal: AbortSignal,
    order: 'old first' | 'new first' = 'old first',
  ): Promise<Slot | undefined> {
    let second: Slot | undefined
    let paired: Slot | undefined
    try {
      second = await other()
      if (second !== undefined && !signal.aborted) {
        paired = order === 'old first' ? new PairedSlot(claimed, second) : new PairedSlot(second, claimed)
      }
      return paired
    } finally {
      if (paired === undefined) {
        await second?.release()
        await claimed.release()
        signal.throwIfAborted()
      }
    }
  }

  /** Waits, in the kernel where it can, for the pool that is full, holding nothing of the other one meanwhile. */
  async #claimBoth(oldPool: SlotPool, giveUpAt: number, signal: AbortSignal): Promise<Slot> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      const left = (): number => giveUpAt - performance.now()
      const first = await unlessProbed(() => this.#tryPair(signal), left)
      if (typeof first !== 'string') return first
      if (left() <= 0) throw await this.#exhausted(oldPool, first)
      const [full, other] = first === 'old' ? [oldPool, this.#next] : [this.#next, oldPool]
      const freed = await unlessFull(() => full.claim({ signal, timeoutMs: Math.max(0, left()) }))
      if (freed === undefined) throw await this.#exhausted(oldPool, first)
      const order = first === 'old' ? 'old first' : 'new first'
      const paired = await this.#pairWith(freed, () => other.tryClaim(), signal, order)
      if (paired !== undefined) return paired
      if (left() > 0) await delay(Math.min(jittered(pause), left()), { signal, timer: 'ref' })
    }
  }

  async #exhausted(oldPool: SlotPool, full: 'old' | 'new'): Promise<SlotsExhaustedError> {
    // For a message: what cannot be found out does not hide what the message is about.
    const holders = await this.held().catch(() => [])
    const remedy =
      full === 'old'
        ? ` It is the old pool (${oldPool.backend}) that is full, and phase 1 needs one of its slots, because its plain users see nobody ` +
          'else. If its holders are dead and its slots do not come back, go on to phase 2, which claims in the new pool alone.'
        : ''
    return new SlotsExhaustedError(this.dir, this.size, holders, remedy)
  }
}

/** Probers are in the way for a while: as if the old pool were full, until the deadline. */
async function unlessProbed<T>(claim: () => Promise<T>, left: () => number): Promise<T | 'old'> {
  try {
    return await claim()
  } catch (error) {
    if (error instanceof SlotProbedError && left() > 0) return 'old'
    throw error
  }
}

async function unlessFull(claim: () => Promise<Slot>): Promise<Slot | undefined> {
  try {
    return await claim()
  } catch (error) {
    if (error instanceof SlotsExhaustedError) return undefined
    throw error
  }
}
