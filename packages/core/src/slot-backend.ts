import type { FileLocker } from './file-locker.ts'
import type { Guarantees } from './guarantees.ts'
import type { ProcessTable } from './process-table.ts'

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * How another process rebuilds a backend or a driver: `(await import(module))[factory](options)`.
 * It is written to disk and passed between processes: never put a secret into it.
 */
export interface Descriptor {
  /**
   * A `file:` URL, so that it does not depend on the other process's working directory; `bundle:` and the package's name for what is part
   * of a bundle. `descriptorModule()` makes it.
   */
  readonly module: string
  /** The name of the exported factory function. */
  readonly factory: string
  /** The factory's only argument. */
  readonly options: Json
}

export type BackendDescriptor = Descriptor

/** Whether a backend can be used in a directory, and if not, why, in words for people; `cause`: the error that says so, where it was one. */
export type Support = { readonly supported: true } | Unsupported

export interface Unsupported {
  readonly supported: false
  readonly reason: string
  readonly cause?: unknown
}

/** What follows from an error, whatever it is: the answer is no, and this is the reason. */
export function unsupported(cause: unknown): Unsupported {
  return { supported: false, reason: cause instanceof Error ? cause.message : String(cause), cause }
}

/** A way to make slots. Stateless: everything that lasts is in the directory and in the kernel. */
export interface SlotBackend {
  /** Stable and lower-case; also the value of the command line's `--backend`. */
  readonly name: string
  /** Backends that name the same protocol exclude each other in one directory. Left out: `name`. */
  readonly protocol?: string
  readonly guarantees: Guarantees
  readonly descriptor: BackendDescriptor
  /** Control locks for the lifecycle, with the same crash guarantees as the slots. */
  readonly locks: FileLocker
  /** Where the backend's native code can tell processes apart better than its users can. */
  readonly processes?: ProcessTable
  /** Is this backend usable for slots in `dir` (which may not exist yet)? Never throws; makes nothing that stays. */
  support(dir: string, options?: SupportOptions): Promise<Support>
  /**
   * Opens the pool in `dir`, making the directory (0700) and its protocol pin if there is none.
   * Throws `ProtocolMismatchError`, `PoolSizeMismatchError`, `UnsafeDirectoryError`, `UnsupportedFilesystemError`,
   * `BackendUnavailableError`.
   */
  open(dir: string, options?: OpenPoolOptions): Promise<SlotPool>
}

export interface SupportOptions {
  /** As `OpenPoolOptions.allowUnsafeFilesystem`. */
  readonly allowUnsafeFilesystem?: boolean
}

export interface OpenPoolOptions {
  /** The pool's size, fixed by whoever makes it. Left out: the size on disk, else 100. */
  readonly slots?: number
  /** For people: shown to whoever finds the pool full. */
  readonly label?: string
  /** Use the directory although its file system is not known to keep locks between processes. */
  readonly allowUnsafeFilesystem?: boolean
}

/** All slots of one directory, as one process sees them. */
export interface SlotPool extends AsyncDisposable {
  readonly dir: string
  readonly backend: string
  /** Fixed when the pool was made. */
  readonly size: number
  /**
   * A free slot, or `undefined` when every slot was PROVEN to be held. Never waits for a holder; may take up to 1 s when
   * others probe, and throws `SlotProbedError` when probers alone kept it from a decision that long.
   */
  tryClaim(): Promise<Slot | undefined>
  /**
   * A free slot, waiting for one until `timeoutMs` (default 0: not at all). `SlotsExhaustedError` names the holders.
   * Aborting `signal` rejects with its reason and leaves no slot claimed.
   */
  claim(options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<Slot>
  /** Who holds a slot now, found by probing; turns no claimer away. Sorted by slot. */
  held(): Promise<readonly SlotInfo[]>
  /** How many slots are held now: this IS the reference count. A slot that cannot be looked at counts as held. */
  count(): Promise<number>
  /** True only when every slot that exists or was seen held is proven free. An error rejects: the caller must treat it as in use. */
  provenEmpty(): Promise<boolean>
  /** Resolves soon after the pool may have become empty: a hint to look, not a proof. Rejects with the signal's reason. */
  whenEmpty(options?: { readonly signal?: AbortSignal }): Promise<void>
  /**
   * Present where somebody who looks at the slots through another backend may not see those of this pool: does one with a backend of this
   * name? (A guardian lives on with the backend of the program that launched it, while others migrate.)
   */
  isSeenBy?(backend: string): boolean
  /** Releases what this pool still holds and ends its waits. Idempotent; a second call joins the first. */
  close(): Promise<void>
}

/** One permit. Lives until `release()`, `SlotPool.close()` or the end of the process, not until garbage collection. */
export interface Slot extends AsyncDisposable {
  readonly id: number
  /** The slot's file, where the backend has one. */
  readonly path?: string | undefined
  /** The descriptor whose inheritance passes the slot on to a child, where `guarantees.inheritableByChild`. */
  readonly fd?: number | undefined
  /**
   * Present where a slot can be lost while its holder lives (`guarantees.crashRelease` is `stale-timeout`): greater for each later holder of
   * this slot, so that a resource can refuse a holder that does not know yet. See `FileLock.fence`.
   */
  readonly fence?: number | undefined
  /**
   * Fires, with a `SlotLostError` as reason, when `verify()` or a later look found that the slot is ours no longer; by itself where a slot can
   * be lost while its holder lives.
   */
  readonly lost: AbortSignal
  /**
   * Resolves while the slot is certainly ours; else fires `lost` and throws `SlotLostError`. Throws `FileAccessError` when the system does not
   * tell (`PROCREF_IO_ERROR`): then the slot is as it was, and whoever needs to know asks again.
   */
  verify(): Promise<void>
  /** Gives the slot back. Idempotent; a second call joins the first. */
  release(): Promise<void>
}

/** What is known of a held slot. Everything but `slot` is a label for people: no decision may rest on it. */
export interface SlotInfo {
  readonly slot: number
  readonly path?: string
  /** From the slot's record; absent when that is missing or unreadable. */
  readonly pid?: number
  readonly label?: string
  readonly startedAt?: string
  /** The holder's program, its `argv[0]` and script. */
  readonly program?: string
}
