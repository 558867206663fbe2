import type { SlotInfo } from './slot-backend.ts'

/**
 * All slots of a pool in ONE shared object (a semaphore set, a file of mutexes), as this process has it open: one life of
 * it. When it is deleted another one takes its place, and this one lives on for those who hold slots in it.
 */
export interface SlotTable {
  /** Does the pool's directory still lead to this object? False also when it cannot be told. */
  isCurrent(): boolean
  /**
   * `full`: every slot was proven to be held; `unsettled`: not so, but others are in the middle of taking or giving back, look again in a
   * moment; `gone`: the kernel has no such object any more, nor any slot in it.
   */
  tryTake(): number | 'full' | 'unsettled' | 'gone'
  /**
   * Present where `SlotTables.waits` is. Sleeps until a slot may be had, as the wait of this number, from 0 to below `waits(…)`; all of them
   * together leave out no slot. The slot, taken, where the kernel hands it over; `look`: one was freed, or the object is gone, so that
   * `tryTake()` tells more. Rejects with the signal's reason, having taken nothing.
   */
  takeWhenFree?(wait: number, options: { readonly signal: AbortSignal }): Promise<number | 'look'>
  /** Present where `SlotTables.waits` is. Resolves soon after no slot of the object was held, also because it is gone. */
  whenUnused?(options: { readonly signal: AbortSignal }): Promise<void>
  /** Once for each slot that was taken; never throws. */
  release(slot: number): void
  /** As `TakenSlot.whyLost`. */
  whyLost(slot: number): string | undefined
  /** Turns no claimer away. None when the object is gone. */
  held(): readonly number[]
  info(slot: number): SlotInfo
  /** Gives back what is still held through it. Idempotent; never throws. */
  close(): void
}

/** A kind of table: how it is found in a pool's directory, and made. */
export interface SlotTables {
  /** The file that leads to it. */
  readonly path: string
  /** Present where the kernel can wake us: so many waits at once learn of every slot that is freed, in a table of this many slots. */
  waits?(slots: number): number
  /**
   * Opens the table at `path`; `undefined`: there is none, or only what is left of one that nobody can hold a slot in.
   * Throws where somebody might.
   */
  open(): SlotTable | undefined
  /**
   * Makes a new one, complete before it can be seen at `path`, where it replaces what `open` passed over. Does nothing where that
   * is still in somebody's hands: `open` is called again, and then this.
   */
  make(): void
}
