import type { SlotInfo } from './slot-backend.ts'

/**
 * The slots of one directory, as one process sees them: what a way to make slots has to supply. The pool on top of it
 * (`storeSlots()`) adds waiting, time-outs, closing and the errors, so that every backend has them alike.
 */
export interface SlotStore {
  /**
   * Takes a free slot without waiting for a holder; `undefined`: every slot was PROVEN to be held. May pause for a second when
   * others look at the slots, and throws `SlotProbedError` when they alone kept it from deciding. Obeys `signal`.
   *
   * The first slot tried is free in nearly every claim: then the answer comes at once, without a promise.
   */
  takeFree(signal: AbortSignal): TakenSlot | Promise<TakenSlot | undefined>
  /**
   * Present where the kernel can hand a slot over: waits until one was freed and taken. Rejects with the signal's reason; nothing is
   * taken then. Any other rejection means that the kernel cannot wake us: the pool goes on looking now and then.
   */
  takeWhenFree?(options: { readonly signal: AbortSignal }): Promise<TakenSlot>
  /** A claimer that waits looks again after this at the longest: with `takeWhenFree` a safety net, without it all there is. */
  readonly lookAgainMs: number
  /** The slots in use, found one by one: those seen held before first. Throws where they cannot even be listed. */
  used(): Iterable<UsedSlot>
  /** Who holds a slot now, for a message: keeps nothing open. */
  glance(): readonly SlotInfo[]
  /** Present where the kernel can tell: resolves soon after no slot was in use. Does not keep the process alive. */
  whenUnused?(options: { readonly signal: AbortSignal }): Promise<void>
  close(): void
}

/** A slot that this process holds. */
export interface TakenSlot {
  readonly id: number
  readonly path?: string
  /** Present while a child can inherit the slot through it. */
  readonly fd?: number | undefined
  /** As `FileLock.fence`. */
  readonly fence?: number | undefined
  /** As `FileLock.onLost`. */
  readonly onLost?: ((listener: (reason: string) => void) => void) | undefined
  /** Why it is certainly ours no longer, in words that complete "Slot 3 is ours no longer: …"; `undefined`: it is ours. */
  whyLost(): string | undefined
  /** Idempotent; never throws. */
  release(): void
}

/** A slot that is held, or that could not be looked at and therefore counts as held. */
export interface UsedSlot {
  readonly slot: number
  /** Why it could not be looked at. */
  readonly error?: unknown
  /** What is known of its holder: labels, for people. */
  info(): SlotInfo
  /** Present where the kernel can tell: resolves soon after this slot was free. Does not keep the process alive. */
  whenFree?(options: { readonly signal: AbortSignal }): Promise<void>
}
