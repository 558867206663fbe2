import { BackendUnavailableError, errnoOf, isError, TableDamagedError } from '@procref/core'
import type { PermitTableBinding } from './binding.ts'
import { loadBinding } from './load-binding.ts'
import { calling } from './native-error.ts'
import { PermitTableOutOfReachError, TooManyProcessesError } from './permit-table-errors.ts'

const FULL = -1
const UNSETTLED = -2
/** What `open` says of a file that nobody can hold a slot in. */
const REPLACEABLE = ['ENOENT', 'OTHER_BOOT', 'UNUSED']

export interface PermitTableOptions {
  /** How often the watchdog looks for the dead. */
  readonly scanMs: number
}

/**
 * Slots as permits of a POSIX semaphore, with a table beside it that says who has which: to build a backend on (@procref/hybrid is it).
 *
 * Guarantee: never more holders than slots, whatever happens to the semaphore; the slots of a process that died are given back, exactly once,
 * by whichever process has the table open and looks first: one thread of all those looks every `scanMs`, and every claim that finds the
 * pool full does. A process is its pid and its start time, within one boot and one PID namespace.
 * Unspecified: which slot a claim gets.
 * Caller: `close()`; nobody may truncate the file while it is used, since a process that touches a page in the very moment in which the file
 * loses it is killed by SIGBUS. Linux only.
 */
export class PermitTable implements Disposable {
  readonly path: string
  readonly slots: number
  readonly #native: PermitTableBinding
  readonly #table: number
  #open = true

  /** Throws `BackendUnavailableError` where permit tables cannot be used; `backend` is who wants to. */
  static check(backend: string): void {
    const native = loadBinding(backend)
    if (native.PERMIT_MAX_SLOTS === undefined) {
      if (process.platform !== 'linux') {
        throw new BackendUnavailableError(backend, `it needs Linux, and this is ${process.platform}`, 'Use native().')
      }
      throw new BackendUnavailableError(
        backend,
        'the native code that was found is older than this package, and has no permit tables',
        'Install @procref/native and its platform package again, both in the same version; in a checkout run `npx pnpm@12 build:native`.',
      )
    }
    try {
      calling('/proc', () => native.permitTableReach())
    } catch (error) {
      if (errnoOf(error) !== 'ENOSYS') throw error
      throw new BackendUnavailableError(
        backend,
        'processes cannot be told apart here (/proc is missing or shows another PID namespace), or there is no /dev/shm',
        'Mount them (`unshare --mount-proc`), or use native().',
        error,
      )
    }
  }

  /** Makes a table at `path`, where nothing must be, with every slot free. It is complete, and on disk, when this returns. */
  static create(path: string, { slots }: { readonly slots: number }): void {
    const native = loadBinding('permit-table')
    calling(path, () => native.permitTableCreate(path, slots))
  }

  /** Removes the table at `path`, and its semaphores, if nobody uses it. False: somebody does. True also when there is none. */
  static removeUnused(path: string): boolean {
    const native = loadBinding('permit-table')
    return explaining(path, () => native.permitTableRemoveUnused(path))
  }

  /**
   * Opens the table at `path`. `undefined`: there is none, or one that nobody uses and nobody here can use (of an earlier boot, of a
   * container that is gone), which `removeUnused` removes. `being left`: look again in a moment.
   *
   * Throws `PermitTableOutOfReachError`, `TooManyProcessesError`, `TableDamagedError`.
   */
  static open(path: string, { scanMs }: PermitTableOptions): PermitTable | 'being left' | undefined {
    const native = loadBinding('permit-table')
    try {
      const table = explaining(path, () => native.permitTableOpen(path, scanMs))
      return new PermitTable(native, path, table)
    } catch (error) {
      const code = codeOf(error) ?? ''
      if (code === 'BEING_LEFT') return 'being left'
      if (REPLACEABLE.includes(code)) return undefined
      throw error
    }
  }

  private constructor(native: PermitTableBinding, path: string, table: number) {
    this.#native = native
    this.path = path
    this.#table = table
    this.slots = native.permitTableSlots(table)
  }

  /**
   * Takes a free slot, looking from `start` on and round, and leaves `record` (512 bytes, a label) about its holder. `full`: every slot
   * was seen held by a process that is not dead. `unsettled`: others are in the middle of something, look again in a moment.
   */
  tryTake(start: number, record: Uint8Array): number | 'full' | 'unsettled' {
    const slot = explaining(this.path, () => this.#native.permitTableTryTake(this.#table, start, record))
    if (slot === FULL) return 'full'
    return slot === UNSETTLED ? 'unsettled' : slot
  }

  /** Gives back a slot that was taken through this. False: it was not, or is somebody else's by now. */
  release(slot: number): boolean {
    return explaining(this.path, () => this.#native.permitTableRelease(this.#table, slot))
  }

  /** The slots that are held; those of the dead are given back, and are not among them. */
  held(): readonly number[] {
    return explaining(this.path, () => this.#native.permitTableHeld(this.#table))
  }

  /** Is the slot held through this? */
  holds(slot: number): boolean {
    return explaining(this.path, () => this.#native.permitTableHolds(this.#table, slot))
  }

  /** What the last holder of the slot left about itself. */
  readRecord(slot: number): Uint8Array {
    return explaining(this.path, () => this.#native.permitTableReadRecord(this.#table, slot))
  }

  /** Does `path` still lead to this table? False also when it cannot be told, or the table is closed. */
  isCurrent(): boolean {
    return this.#open && this.#native.permitTableIsCurrent(this.#table)
  }

  /** Which process looks for the dead: a label. */
  watchdogPid(): number | undefined {
    return explaining(this.path, () => this.#native.permitTableWatchdogPid(this.#table)) ?? undefined
  }

  /** How many permits the semaphore has, and how often it was replaced; old by the time it is returned. `undefined`: it has none now. */
  permits(): { readonly generation: number; readonly value: number | undefined } {
    const [generation, value] = explaining(this.path, () => this.#native.permitTablePermits(this.#table))
    return { generation, value: value < 0 ? undefined : value }
  }

  /** Gives back what was taken through this. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#native.permitTableClose(this.#table)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function explaining<T>(path: string, call: () => T): T {
  try {
    return calling(path, call)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    switch (codeOf(error)) {
      case 'DAMAGED':
        throw new TableDamagedError(path, said)
      case 'OUT_OF_REACH':
        throw new PermitTableOutOfReachError(path, said)
      case 'TOO_MANY_PROCESSES':
        throw new TooManyProcessesError(path, said)
      default:
        throw error
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
