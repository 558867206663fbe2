import type { SlotBackend } from '@procref/core'
import type { ServerDriver } from '../driver.ts'

/** How to share one server. The first client's settings win; see `ConfigMismatchError` for what others may ask. */
export interface SharedServiceOptions {
  /** The root directory, made 0700 if missing. Default: `$PROCREF_DIR`, else `~/.procref`. */
  readonly dir?: string
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  /** Pool size when this call makes the pool. Default 100. */
  readonly slots?: number
  /** For people: who this is, in `procref ps` and in the error of whoever finds the pool full. */
  readonly label?: string
  /** How long the server stays after its last client, ms. Default 10,000. */
  readonly lingerMs?: number
  /** The port the server should have. Default: one is chosen (from 20000 to 29999, unless none of those can be had) and kept. */
  readonly port?: number
  /** How long connect() may take in all, ms. Default 150,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Told what is being waited for, at most a few times a second. */
  readonly onProgress?: (progress: Progress) => void
  /** A full pool: fail at once with `SlotsExhaustedError` (default), or wait for a slot until the deadline. */
  readonly whenFull?: 'fail' | 'wait'
  /** A server with another configuration runs: `fail` with `ConfigMismatchError` (default), or `join` it as it is. */
  readonly whenDifferent?: 'fail' | 'join'
  /**
   * An older SurrealDB wrote the data, and could not use them any more once this one has opened them: `fail` with
   * `UpgradeNeededError` (default), or `upgrade` them, of which no copy is made.
   */
  readonly whenOlder?: 'fail' | 'upgrade'
  /** End the lease (firing `lost`) when the program was abandoned: its parent died, or its standard input ended. */
  readonly endWith?: 'parent' | 'stdin'
  /** What starts Node for the guardian where `process.execPath` cannot (a single executable): `[file, ...args]`. */
  readonly guardianCommand?: readonly [string, ...string[]]
  /**
   * For programs that are bundled: the file that Node runs for the guardian, an absolute path or a `file:` URL. It is a bundle as well, of a
   * file that calls `guardian()` of `@procref/lifecycle/guardian`.
   */
  readonly guardianProgram?: string | URL
  /** Use the directory although its file system is not known to keep locks between processes. */
  readonly allowUnsafeFilesystem?: boolean
}

/** One thing connect() is doing or waiting for. */
export interface Progress {
  readonly step: 'claiming' | 'waiting-for-slot' | 'launching' | 'waiting' | 'connecting' | 'connected'
  /** One sentence for people. */
  readonly message: string
  /** Since connect() was called. */
  readonly elapsedMs: number
}
