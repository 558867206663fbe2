import { join } from 'node:path'
import {
  errnoOf,
  leadsElsewhere,
  parseRecord,
  replaceFile,
  type SlotInfo,
  type SlotTable,
  type SlotTables,
  type StorePlace,
  TableDamagedError,
} from '@procref/core'
import { PermitTable } from '@procref/native'

const TABLE_FILE = 'hybrid.table'

/** The permit table of the pool in `place`. */
export class PermitTables implements SlotTables {
  readonly path: string
  readonly #place: StorePlace
  readonly #scanMs: number

  constructor(place: StorePlace, scanMs: number) {
    this.#place = place
    this.#scanMs = scanMs
    this.path = join(place.dir, TABLE_FILE)
  }

  open(): SlotTable | undefined {
    const table = PermitTable.open(this.path, { scanMs: this.#scanMs })
    // The store comes again: it makes a table where there is none, which does nothing while the last user is leaving.
    if (table === undefined || table === 'being left') return undefined
    if (table.slots === this.#place.slots) return new PermitSlotTable(table, this.#place)
    const { slots } = table
    table.close()
    throw new TableDamagedError(this.path, `has ${slots} slots, and the pool ${this.#place.slots}`)
  }

  make(): void {
    const { slots, system } = this.#place
    if (!PermitTable.removeUnused(this.path)) return
    replaceFile(system, this.path, (temporary) => PermitTable.create(temporary, { slots }))
  }
}

class PermitSlotTable implements SlotTable {
  readonly #table: PermitTable
  readonly #record: Uint8Array
  #start: number
  #open = true

  constructor(table: PermitTable, { slots, record }: StorePlace) {
    this.#table = table
    this.#record = record
    // Everybody starts somewhere else, or all would queue through the slots that are taken already.
    this.#start = Math.floor(Math.random() * slots)
  }

  isCurrent(): boolean {
    return this.#table.isCurrent()
  }

  tryTake(): number | 'full' | 'unsettled' {
    const taken = this.#table.tryTake(this.#start, this.#record)
    if (typeof taken === 'number') this.#start = (taken + 1) % this.#table.slots
    return taken
  }

  release(slot: number): void {
    if (!this.#open) return
    try {
      this.#table.release(slot)
    } catch (error) {
      // Of a table that was truncated no slot can be had any more, ours neither; and a semaphore that cannot be told is replaced.
      if (!(error instanceof TableDamagedError) && errnoOf(error) === undefined) throw error
    }
    // Where the next claim starts: probably still free, and with our record in it.
    this.#start = slot
  }

  whyLost(slot: number): string | undefined {
    const { path } = this.#table
    if (!this.#open) return `${path} was closed`
    try {
      if (!this.#table.holds(slot)) return `somebody else wrote into ${path} what only its holder may`
    } catch (error) {
      if (error instanceof TableDamagedError) return error.message
      throw error
    }
    return leadsElsewhere({ path, isCurrent: () => this.isCurrent() }) ? `${path} was deleted or replaced` : undefined
  }

  held(): readonly number[] {
    return this.#table.held()
  }

  info(slot: number): SlotInfo {
    try {
      return { slot, ...parseRecord(this.#table.readRecord(slot)) }
    } catch (error) {
      // A label that cannot be read.
      if (errnoOf(error) === undefined) throw error
      return { slot }
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#table.close()
  }
}
