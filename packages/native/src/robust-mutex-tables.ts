import { join } from 'node:path'
import {
  isError,
  leadsElsewhere,
  parseRecord,
  replaceFile,
  type SlotInfo,
  type SlotTable,
  type SlotTables,
  type StorePlace,
  TableDamagedError,
  translateErrno,
} from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { kernelWaits } from './kernel-waits.ts'
import { calling } from './native-error.ts'

const MUTEX_FILE = 'robust.mutexes'
const FULL = -1

/** The file of mutexes of the pool in `place`. */
export class RobustMutexTables implements SlotTables {
  readonly path: string
  readonly #native: NativeBinding
  readonly #place: StorePlace

  constructor(native: NativeBinding, place: StorePlace) {
    this.#native = native
    this.#place = place
    this.path = join(place.dir, MUTEX_FILE)
  }

  /** A sleeper sleeps on one word. */
  waits(slots: number): number {
    return slots
  }

  open(): SlotTable | undefined {
    const file = this.#openFile()
    if (file === undefined) return undefined
    const slots = this.#native.robustSlots(file)
    if (slots === this.#place.slots) return new RobustMutexTable(this.#native, file, this.path, this.#place)
    this.#native.robustClose(file)
    throw new TableDamagedError(this.path, `has ${slots} slots, and the pool ${this.#place.slots}`)
  }

  make(): void {
    const { slots, system } = this.#place
    replaceFile(system, this.path, (temporary) => calling(temporary, () => this.#native.robustCreate(temporary, slots)))
  }

  /** `undefined`: there is none, or one of an earlier boot, whose holders are dead. */
  #openFile(): number | undefined {
    try {
      return calling(this.path, () => this.#native.robustOpen(this.path))
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT' || code === 'OTHER_BOOT') return undefined
      throw asDamaged(this.path, translateErrno(error, 'open', this.path))
    }
  }
}

class RobustMutexTable implements SlotTable {
  readonly #native: NativeBinding
  readonly #file: number
  readonly #path: string
  readonly #slots: number
  readonly #record: Uint8Array
  #start: number
  #open = true

  constructor(native: NativeBinding, file: number, path: string, { slots, record }: StorePlace) {
    this.#native = native
    this.#file = file
    this.#path = path
    this.#slots = slots
    this.#record = record
    // Everybody starts somewhere else, or all would queue through the slots that are taken already.
    this.#start = Math.floor(Math.random() * slots)
  }

  isCurrent(): boolean {
    return this.#open && this.#native.robustIsAt(this.#file, this.#path)
  }

  tryTake(): number | 'full' {
    const slot = this.#call(() => this.#native.robustTryTake(this.#file, this.#start, this.#record))
    if (slot === FULL) return 'full'
    this.#start = (slot + 1) % this.#slots
    return slot
  }

  async takeWhenFree(slot: number, { signal }: { readonly signal: AbortSignal }): Promise<'look'> {
    const native = this.#native
    const start = (listener: number): number => native.robustStartSlotWait(listener, this.#file, slot)
    await kernelWaits(native).run(this.#path, start, signal)
    return 'look'
  }

  async whenUnused({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const native = this.#native
    const start = (listener: number): number => native.robustStartUnusedWait(listener, this.#file)
    await kernelWaits(native).run(this.#path, start, signal)
  }

  release(slot: number): void {
    if (!this.#open) return
    this.#native.robustRelease(this.#file, slot)
    // Where the next claim starts: probably still free.
    this.#start = slot
  }

  whyLost(slot: number): string | undefined {
    if (!this.#open) return `${this.#path} was closed`
    try {
      if (!this.#call(() => this.#native.robustHolds(this.#file, slot))) return 'its mutex was reset by somebody else'
    } catch (error) {
      if (error instanceof TableDamagedError) return error.message
      throw error
    }
    const file = { path: this.#path, isCurrent: () => this.isCurrent() }
    return leadsElsewhere(file) ? `${this.#path} was deleted or replaced` : undefined
  }

  held(): readonly number[] {
    return this.#call(() => this.#native.robustHeld(this.#file))
  }

  info(slot: number): SlotInfo {
    try {
      const record = parseRecord(this.#call(() => this.#native.robustReadRecord(this.#file, slot)))
      return { slot, ...record }
    } catch (error) {
      // A label that cannot be read.
      if (codeOf(error) === undefined) throw error
      return { slot }
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#native.robustClose(this.#file)
  }

  #call<T>(call: () => T): T {
    try {
      return calling(this.#path, call)
    } catch (error) {
      throw asDamaged(this.#path, error)
    }
  }
}

function asDamaged(path: string, error: unknown): unknown {
  return codeOf(error) === 'DAMAGED' ? new TableDamagedError(path, (error as Error).message) : error
}

function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
