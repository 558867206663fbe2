import { setTimeout as sleep } from 'node:timers/promises'
import { ProcrefError } from './errors.ts'
import type { FileLock, FileLocker } from './file-locker.ts'
import type { SlotInfo } from './slot-backend.ts'
import type { SlotStore, TakenSlot, UsedSlot } from './slot-store.ts'
import type { SlotTable, SlotTables } from './slot-table.ts'
import type { StorePlace } from './store-slots.ts'

/** A look at the table is one or two system calls. */
const POLL_MS = 100
/** Making a table takes milliseconds; whoever takes longer was stopped. */
const MAKING_TAKES_MS = 5_000
const LOOK_AGAIN_MS = 5
/** Replaced this often while we claim in it, a table is being deleted on purpose. */
const MAX_REPLACEMENTS = 8
/** Taking and giving back take microseconds, and a table makes anew what somebody does not finish. */
const SETTLES_WITHIN_MS = 1_000
const UNSETTLED_LOOK_AGAIN_MS = 1

/** Somebody has the lock that is taken to make a pool's table, and does not get on with it. */
export class TableBeingMadeError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_TABLE_BEING_MADE',
      `${path} has been locked for ${MAKING_TAKES_MS} ms by a process that makes this pool's slots, and should take milliseconds. ` +
        'It may be stopped: continue or end it (`fuser` shows it).',
    )
    this.path = path
  }
}

/** Slots are free, and none of them can be had, because others are in the middle of something and do not get on with it. */
export class TableUnsettledError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_TABLE_UNSETTLED',
      `${path} has free slots, but for ${SETTLES_WITHIN_MS} ms none could be claimed: a process has been stopped while it took or repaired one. ` +
        'Continue or end it (`fuser` shows who has the file open), or try again.',
    )
    this.path = path
  }
}

/** Something deletes a pool's table as fast as it is made, so no claim could be trusted. */
export class TableUnstableError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_TABLE_UNSTABLE',
      `${path} was replaced ${MAX_REPLACEMENTS} times while a slot was being claimed. Stop whatever cleans this directory.`,
    )
    this.path = path
  }
}

type NotTaken = 'full' | 'unsettled' | 'replaced'

/**
 * Slots in a table that all processes share.
 *
 * A table is made by the first claim, under a control lock (`<file>.lock`, flock) that nobody needs for anything else. A claim counts
 * only if the directory leads to its table AFTER the slot was taken; else it is given back and repeated in the new table. A table that
 * was replaced stays open while somebody holds a slot in it, so that a holder is not forgotten because a file was deleted.
 */
export class SlotTableStore implements SlotStore {
  readonly lookAgainMs: number = POLL_MS
  readonly #place: StorePlace
  readonly #tables: SlotTables
  readonly #locks: FileLocker
  #table: SlotTable | undefined
  readonly #replaced = new Set<SlotTable>()

  /** Throws what `tables.open()` throws: a table that cannot be used is found out when the pool is opened. */
  constructor(place: StorePlace, tables: SlotTables, locks: FileLocker) {
    this.#place = place
    this.#tables = tables
    this.#locks = locks
    this.#table = tables.open()
  }

  takeFree(signal: AbortSignal): TakenSlot | Promise<TakenSlot | undefined> {
    const taken = this.#tryTake()
    return typeof taken === 'object' ? taken : this.#takeLater(taken, signal)
  }

  *used(): Generator<UsedSlot> {
    this.#followReplacement()
    for (const table of [...this.#replaced]) {
      const held = table.held()
      if (held.length === 0) this.#drop(table)
      for (const slot of held) yield { slot, info: () => table.info(slot) }
    }
    const table = this.#table
    for (const slot of table?.held() ?? []) yield { slot, info: () => table?.info(slot) ?? { slot } }
  }

  glance(): readonly SlotInfo[] {
    const table = this.#table
    return (table?.held() ?? []).map((slot) => table?.info(slot) ?? { slot })
  }

  close(): void {
    this.#table?.close()
    this.#table = undefined
    for (const table of this.#replaced) this.#drop(table)
  }

  #tryTake(): TakenSlot | NotTaken {
    const table = this.#table
    if (table === undefined) return 'replaced'
    let taken: ReturnType<SlotTable['tryTake']>
    try {
      taken = table.tryTake()
    } catch (error) {
      // What is wrong with a table that was deleted keeps nobody from the next one.
      if (table.isCurrent()) throw error
      return 'replaced'
    }
    if (taken === 'gone') return 'replaced'
    // Asked after taking: in a table that was replaced before, a slot excludes nobody who comes now.
    const current = table.isCurrent()
    if (typeof taken !== 'number') return current ? taken : 'replaced'
    if (current) return new TableSlot(taken, table)
    table.release(taken)
    return 'replaced'
  }

  async #takeLater(first: NotTaken, signal: AbortSignal): Promise<TakenSlot | undefined> {
    const giveUpAt = performance.now() + SETTLES_WITHIN_MS
    let replaced = 0
    for (let taken: TakenSlot | NotTaken = first; ; taken = this.#tryTake()) {
      if (typeof taken === 'object') return taken
      if (taken === 'full') return undefined
      if (taken === 'replaced') {
        if (replaced++ === MAX_REPLACEMENTS) throw new TableUnstableError(this.#tables.path)
        await this.#renew(signal)
      } else {
        if (performance.now() > giveUpAt) throw new TableUnsettledError(this.#tables.path)
        await sleep(UNSETTLED_LOOK_AGAIN_MS)
        signal.throwIfAborted()
      }
    }
  }

  /** Opens the table that the directory leads to, making it, and the directory, where there is none. */
  async #renew(signal: AbortSignal): Promise<void> {
    this.#place.restoreDirectory()
    const path = `${this.#tables.path}.lock`
    for (const giveUpAt = performance.now() + MAKING_TAKES_MS; ; ) {
      if (this.#adopt(this.#tables.open())) return
      const lock = this.#locks.tryLock(path)
      if (lock !== undefined && this.#adoptOrMake(lock)) return
      if (performance.now() > giveUpAt) throw new TableBeingMadeError(path)
      await sleep(LOOK_AGAIN_MS)
      signal.throwIfAborted()
    }
  }

  /** False: look again. */
  #adoptOrMake(lock: FileLock): boolean {
    try {
      // A lock on a file that is no longer at its path keeps nobody else from making one.
      if (!lock.isCurrent()) return false
      if (this.#adopt(this.#tables.open())) return true
      this.#tables.make()
      return this.#adopt(this.#tables.open())
    } finally {
      lock.release()
    }
  }

  /** Where others have made a new table meanwhile, their slots count too. */
  #followReplacement(): void {
    if (this.#table?.isCurrent() !== true) this.#adopt(this.#tables.open())
  }

  #adopt(table: SlotTable | undefined): boolean {
    if (table === undefined) return false
    if (this.#table !== undefined) this.#replaced.add(this.#table)
    this.#table = table
    return true
  }

  #drop(table: SlotTable): void {
    this.#replaced.delete(table)
    table.close()
  }
}

class TableSlot implements TakenSlot {
  readonly id: number
  readonly #table: SlotTable

  constructor(id: number, table: SlotTable) {
    this.id = id
    this.#table = table
  }

  whyLost(): string | undefined {
    return this.#table.whyLost(this.id)
  }

  release(): void {
    this.#table.release(this.id)
  }
}
