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
