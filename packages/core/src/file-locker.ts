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
   * What its locks are to the kernel, e.g. `flock`: locks of two lockers of one kind exclude each other on one path. Left out: told apart
   * from all others.
   */
  readonly kind?: string
  /**
   * Opens (creating it if missing, mode 0600, never through a symbolic link) and locks the file at `path` without waiting.
   * `undefined`: refused at this moment, by a holder OR by somebody who probes; only `watch(path).probe()` tells which.
   * Throws the system's error, unchanged, when the file cannot be opened or locked for any other reason.
   */
  tryLock(path: string): FileLock | undefined
  /**
   * Present where one call can do a whole claim: `tryLock(path)`, `isCurrent()`, and `record` written at offset 0.
   *
   * Guarantee: the lock that is returned was on the file at `path` after it was granted, and the record was written unless the
   * disk is full (it is a label). A file replaced in between is locked anew a few times, then it throws with code `ESTALE`.
   * Otherwise as `tryLock`.
   */
  tryTake?(path: string, record: Uint8Array): FileLock | undefined
  /**
   * Present where the kernel can hand a lock over: waits, without polling and off libuv's threads, until this process has the exclusive
   * lock of the file at `path` (made if missing, as `tryLock` does). Rejects with the signal's reason; then no lock is left behind.
   *
   * Unspecified: whether the path still leads to that file (`isCurrent()`), because it may be deleted or replaced while we wait.
   * Caller: something else has to keep the process alive; a wait does not.
   */
  lockWhenFree?(path: string, options: { readonly signal: AbortSignal }): Promise<FileLock>
  /**
   * Opens the existing file at `path` to look at its lock, now and later. Creates nothing; throws `ENOENT` when there is none.
   * The watch stays with the file it opened, even when the path is deleted or replaced afterwards.
   * Caller: `close()` it.
   */
  watch(path: string): LockWatch
  /**
   * Present where the locker keeps something beside the files it locks: removes that of the file at `path`, which was deleted for good.
   * Caller: nobody locks that path any more. Never throws.
   */
  discard?(path: string): void
}

/** A lock that this process holds. Release is closing: a child that inherited `fd` keeps the lock. */
export interface FileLock {
  readonly path: string
  /** The descriptor, present when the lock lives in an open file description that a child can inherit. */
  readonly fd?: number
  /**
   * The fencing number, present where the lock can be lost while its holder lives: greater for each later holder of this file. A resource
   * that remembers the greatest one it has seen, and refuses smaller ones, is safe from a holder that does not know yet that it lost the lock.
   * Source: M. Kleppmann, "How to do distributed locking" (2016).
   */
  readonly fence?: number
  /** Does the path still lead to the file that was locked, and is the lock still ours? False also when it cannot be told. */
  isCurrent(): boolean
  /** Present where one call can do both: `isCurrent()` and, if so, `record` written at offset 0, unless the disk is full (it is a label). */
  adopt?(record: Uint8Array): boolean
  /**
   * Present where the lock can be lost while its holder lives: calls `listener` once, with the reason in words that complete "… is ours no
   * longer: …", soon after it was found out. `isCurrent()` may know earlier.
   */
  onLost?(listener: (reason: string) => void): void
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
