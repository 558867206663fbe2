import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcrefError } from './errors.ts'
import type { FileLock, FileLocker } from './file-locker.ts'
import { FreedSlots } from './freed-slots.ts'
import { linkSignals } from './link-signals.ts'
import type { SlotInfo } from './slot-backend.ts'
import { PoolClosedError } from './slot-errors.ts'
import type { SlotStore, TakenSlot, UsedSlot } from './slot-store.ts'
import type { SlotTable, SlotTables } from './slot-table.ts'
import type { StorePlace } from './store-slots.ts'

/** Where the kernel wakes us for every slot, only a deleted or replaced table is left to be found. */
const SAFETY_NET_MS = 1000
/** Else a claimer that waits looks again so often: one or two system calls. */
const POLL_MS = 100
/** Making a table takes milliseconds; whoever takes longer was stopped. */
const MAKING_TAKES_MS = 5_000
const LOOK_AGAIN_MS = 5
/** Why a wait in a table is called off that the directory no longer leads to. One for all: see `FreedSlots`. */
const REPLACED = new Error('the table was replaced')
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
 *
 * Where its kind of table can (`SlotTables.waits`), a claim that waits sleeps in the kernel, and what wakes it counts under the same condition;
 * else it looks now and then. Of a deleted file the kernel tells nobody: claimers that look now and then find out, and take the waits of
 * this process along to the new table.
 */
export class SlotTableStore implements SlotStore {
  readonly lookAgainMs: number
  readonly takeWhenFree?: (options: { readonly signal: AbortSignal }) => Promise<TakenSlot>
  readonly whenUnused?: (options: { readonly signal: AbortSignal }) => Promise<void>
  readonly #place: StorePlace
  readonly #tables: SlotTables
  readonly #locks: FileLocker
  #table: SlotTable | undefined
  readonly #replaced = new Set<SlotTable>()
  /** Aborted when `#table` is replaced. */
  #tableEnd = tableEnd()
  #closed = false

  /** Throws what `tables.open()` throws: a table that cannot be used is found out when the pool is opened. */
  constructor(place: StorePlace, tables: SlotTables, locks: FileLocker) {
    this.#place = place
    this.#tables = tables
    this.#locks = locks
    const freed = this.#freedSlots()
    this.lookAgainMs = freed?.coversAll === true ? SAFETY_NET_MS : POLL_MS
    if (freed !== undefined) {
      this.takeWhenFree = ({ signal }) => freed.take(signal)
      this.whenUnused = (options) => this.#untilUnused(options)
    }
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
    this.#closed = true
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
    if (typeof taken === 'number') return this.#unlessReplaced(table, taken)
    if (taken !== 'gone' && table.isCurrent()) return taken
    if (taken === 'gone') this.#leave(table)
    return 'replaced'
  }

  /** Asked after taking: in a table that was replaced before, a slot excludes nobody who comes now. */
  #unlessReplaced(table: SlotTable, slot: number): TakenSlot | 'replaced' {
    if (table.isCurrent()) return new TableSlot(slot, table)
    table.release(slot)
    return 'replaced'
  }

  /** `undefined` where the kernel cannot wake us. */
  #freedSlots(): FreedSlots<TakenSlot, TakenSlot> | undefined {
    const size = this.#tables.waits?.(this.#place.slots)
    if (size === undefined) return undefined
    return new FreedSlots({
      size,
      lockWhenFree: (wait, { signal }) => this.#takeIn(wait, signal),
      accept: (_, taken) => taken,
      release: (taken) => taken.release(),
    })
  }

  async #untilUnused(options: { readonly signal: AbortSignal }): Promise<void> {
    this.#followReplacement()
    for (const table of [...this.#replaced]) await table.whenUnused?.(options)
    await this.#table?.whenUnused?.(options)
  }

  /** Waits until a slot is ours. */
  async #takeIn(wait: number, signal: AbortSignal): Promise<TakenSlot> {
    for (;;) {
      const woken = await this.#takeOnceWoken(wait, signal)
      // Another one was faster.
      if (woken === 'full') continue
      const taken = typeof woken === 'object' ? woken : await this.#takeLater(woken, signal)
      if (taken !== undefined) return taken
    }
  }

  async #takeOnceWoken(wait: number, signal: AbortSignal): Promise<TakenSlot | NotTaken> {
    const table = this.#table
    // None was made yet.
    if (table?.takeWhenFree === undefined) return 'replaced'
    const end = this.#tableEnd.signal
    using either = linkSignals(signal, end)
    try {
      const slot = await table.takeWhenFree(wait, { signal: either.signal })
      return slot === 'look' ? this.#tryTake() : this.#unlessReplaced(table, slot)
    } catch (error) {
      if (signal.aborted || !end.aborted) throw error
      return this.#tryTake()
    }
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
    this.#refuseIfClosed()
    this.#place.restoreDirectory()
    const path = `${this.#tables.path}.lock`
    for (const giveUpAt = performance.now() + MAKING_TAKES_MS; ; ) {
      // Another claim of this process may have done it meanwhile.
      if (this.#table?.isCurrent() === true || this.#adopt(this.#tables.open())) return
      const lock = this.#locks.tryLock(path)
      if (lock !== undefined && this.#adoptOrMake(lock)) return
      if (performance.now() > giveUpAt) throw new TableBeingMadeError(path)
      await sleep(LOOK_AGAIN_MS)
      signal.throwIfAborted()
      this.#refuseIfClosed()
    }
  }

  /** A wait that was woken before it was called off must not open what nobody would close. */
  #refuseIfClosed(): void {
    if (this.#closed) throw new PoolClosedError(this.#place.dir)
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
    if (this.#table !== undefined) this.#leave(this.#table)
    this.#table = table
    return true
  }

  /** Nobody claims in it any more; who holds a slot in it still counts. */
  #leave(table: SlotTable): void {
    this.#replaced.add(table)
    this.#table = undefined
    this.#tableEnd.abort(REPLACED)
    this.#tableEnd = tableEnd()
  }

  #drop(table: SlotTable): void {
    this.#replaced.delete(table)
    table.close()
  }
}

function tableEnd(): AbortController {
  const controller = new AbortController()
  // As many as there are waits.
  setMaxListeners(0, controller.signal)
  return controller
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
