/**
 * Exclusive locks on files: the one thing a file-based backend has to supply. `fileSlots()` makes slots of it and the
 * lifecycle its control locks, so that every file-based backend follows one protocol (docs/slot-directory.md).
 *
 * Guarantee of an implementation: at most one lock on a file (one inode) at a time, among all processes in its scope and
 * inside one process; a lock ends with the process that holds it, as `Guarantees.crashRelease` says.
 * Unspecified: who wins among simultaneous callers.
 */
export interface FileLocker {
  /**
   * Opens (creating it if missing, mode 0600, never through a symbolic link) and locks the file at `path` without waiting.
   * `undefined`: refused at this moment, by a holder OR by somebody who probes; only `watch(path).probe()` tells which.
   * Throws the system's error, unchanged, when the file cannot be opened or locked for any other reason.
   */
  tryLock(path: string): FileLock | undefined
  /**
   * Opens the existing file at `path` to look at its lock, now and later. Creates nothing; throws `ENOENT` when there is none.
   * The watch stays with the file it opened, even when the path is deleted or replaced afterwards.
   * Caller: `close()` it.
   */
  watch(path: string): LockWatch
}

/** A lock that this process holds. Release is closing: a child that inherited `fd` keeps the lock. */
export interface FileLock {
  readonly path: string
  /** The descriptor, present when the lock lives in an open file description that a child can inherit. */
  readonly fd?: number
  /** Does the path still lead to the file that was locked? False also when it cannot be told. */
  isCurrent(): boolean
  /** Idempotent; never throws. */
  release(): void
}

/**
 * `held`: proven, a non-blocking SHARED attempt was refused. `free`: proven, it succeeded. `unknown`: neither could be
 * shown (an error); treat it as held.
 */
export type LockState = 'held' | 'free' | 'unknown'

export interface LockWatch {
  readonly path: string
  /** Never waits. A probe can make somebody's simultaneous `tryLock` fail once, never a simultaneous probe. */
  probe(): LockState
  /** Why the last probe answered `unknown`, where the implementation can say. */
  readonly lastError?: unknown
  /** Does the path still lead to the file that is watched? False also when it cannot be told. */
  isCurrent(): boolean
  /** Present where the kernel can wake us: resolves soon after the lock was free (look again), rejects with the signal's reason. */
  waitFree?(options: { readonly signal?: AbortSignal }): Promise<void>
  /** Idempotent; never throws. */
  close(): void
}
