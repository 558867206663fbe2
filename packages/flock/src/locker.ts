import { constants } from 'node:fs'
import {
  errnoOf,
  type FileLock,
  type FileLocker,
  type LockState,
  type LockWatch,
  onFile,
  UnsafeFileError,
} from '@procref/core'
import { type FlockCalls, type FlockOperation, flockCalls } from './system-calls.ts'

// O_CLOEXEC is libuv's doing. O_NONBLOCK means nothing for a plain file, but opening a FIFO would wait without it.
const TO_LOCK = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
const TO_WATCH = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const TO_REOPEN = constants.O_RDONLY | constants.O_NONBLOCK
const MODE = 0o600
/** flock(2) without waiting is not interrupted in practice; a system where it always is must not hang us. */
const MAX_INTERRUPTIONS = 100

/**
 * Locks files with flock(2).
 *
 * A lock belongs to the open file description: it excludes inside this process too, a child that is given the descriptor
 * has it as well, and it ends when the last copy of the descriptor is closed, at the latest by the kernel when a process ends. So
 * release is close(), never LOCK_UN, which would take the lock away from such a child.
 */
export function flockLocker(calls: FlockCalls = flockCalls): FileLocker {
  return {
    kind: 'flock',
    tryLock: (path) => tryLock(calls, path),
    watch: (path) => new FlockWatch(calls, path, calls.open(path, TO_WATCH)),
  }
}

function tryLock(calls: FlockCalls, path: string): FileLock | undefined {
  const fd = calls.open(path, TO_LOCK, MODE)
  let lock: FlockLock | undefined
  try {
    if (tryFlock(calls, fd, 'exnb', path)) {
      const stat = onFile(path, () => calls.fstat(fd))
      const user = process.geteuid?.()
      if (!stat.isFile()) throw new UnsafeFileError(path, 'is not a plain file')
      if (user !== undefined && Number(stat.uid) !== user) {
        throw new UnsafeFileError(path, `belongs to user ${stat.uid}, and this process is user ${user}`)
      }
      lock = new FlockLock(calls, path, fd, stat.dev, stat.ino)
    }
    return lock
  } finally {
    if (lock === undefined) calls.close(fd)
  }
}

/** False: refused, somebody has a lock that this one does not go with. */
function tryFlock(calls: FlockCalls, fd: number, operation: FlockOperation, path: string): boolean {
  for (let interruptions = 0; ; interruptions++) {
    try {
      calls.flock(fd, operation)
      return true
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'EAGAIN' || errno === 'EWOULDBLOCK') return false
      if (errno === 'EINTR' && interruptions < MAX_INTERRUPTIONS) continue
      // fs-ext names neither the call nor the file.
      throw errno === undefined
        ? error
        : Object.assign(new Error(`${errno}: flock '${path}'`, { cause: error }), {
            code: errno,
            syscall: 'flock',
            path,
          })
    }
  }
}

class FlockLock implements FileLock {
  readonly path: string
  readonly fd: number
  readonly #calls: FlockCalls
  readonly #dev: bigint
  readonly #ino: bigint
  #held = true

  constructor(calls: FlockCalls, path: string, fd: number, dev: bigint, ino: bigint) {
    this.#calls = calls
    this.path = path
    this.fd = fd
    // Read once: while the descriptor is open nobody else gets this inode number.
    this.#dev = dev
    this.#ino = ino
  }

  isCurrent(): boolean {
    return this.#held && leadsTo(this.#calls, this.path, this.#dev, this.#ino)
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    closeQuietly(this.#calls, this.fd)
  }
}

/**
 * Looks at the lock of one file through a NEW open file description each time: a shared lock on the watch's own one would
 * stay (and turn claimers away) until it is closed, and then the watch would be gone.
 *
 * Linux opens `/proc/self/fd/N`, which works for a deleted file too. Elsewhere, and without /proc, the path is opened while it
 * still leads to the file. If it does not, the only way left is a shared lock on the watch's own description: refused, the file is
 * held; granted, it is free for good (a deleted file has no new claimers), so the watch closes it at once and remembers.
 */
class FlockWatch implements LockWatch {
  readonly path: string
  readonly #calls: FlockCalls
  readonly #dev: bigint
  readonly #ino: bigint
  #fd: number | undefined
  #freeForGood = false
  #lastError: unknown

  constructor(calls: FlockCalls, path: string, fd: number) {
    this.path = path
    this.#calls = calls
    this.#fd = fd
    try {
      const stat = onFile(path, () => calls.fstat(fd))
      if (!stat.isFile()) throw new UnsafeFileError(path, 'is not a plain file')
      this.#dev = stat.dev
      this.#ino = stat.ino
    } catch (error) {
      closeQuietly(calls, fd)
      throw error
    }
  }

  get lastError(): unknown {
    return this.#lastError
  }

  isCurrent(): boolean {
    return this.#fd !== undefined && leadsTo(this.#calls, this.path, this.#dev, this.#ino)
  }

  probe(): LockState {
    try {
      return this.#probe()
    } catch (error) {
      this.#lastError = error
      return 'unknown'
    }
  }

  close(): void {
    if (this.#fd === undefined) return
    closeQuietly(this.#calls, this.#fd)
    this.#fd = undefined
  }

  #probe(): LockState {
    if (this.#freeForGood) return 'free'
    if (this.#fd === undefined) throw new Error(`the watch of ${this.path} is closed`)
    const again = this.#openAgain(this.#fd)
    if (again === undefined) return this.#probeDeleted(this.#fd)
    try {
      return tryFlock(this.#calls, again, 'shnb', this.path) ? 'free' : 'held'
    } finally {
      closeQuietly(this.#calls, again)
    }
  }

  /** A new description of the watched file; `undefined`: there is no way to get one. */
  #openAgain(fd: number): number | undefined {
    if (process.platform === 'linux') {
      try {
        return this.#calls.open(`/proc/self/fd/${fd}`, TO_REOPEN)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
    return this.#openPath()
  }

  #openPath(): number | undefined {
    let fd: number
    try {
      fd = this.#calls.open(this.path, TO_WATCH)
    } catch (error) {
      const errno = errnoOf(error)
      // ELOOP: the path is a link now, so it does not lead to the file that was opened.
      if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined
      throw error
    }
    let same = false
    try {
      const stat = onFile(this.path, () => this.#calls.fstat(fd))
      same = stat.dev === this.#dev && stat.ino === this.#ino
      return same ? fd : undefined
    } finally {
      if (!same) closeQuietly(this.#calls, fd)
    }
  }

  #probeDeleted(fd: number): LockState {
    if (!tryFlock(this.#calls, fd, 'shnb', this.path)) return 'held'
    this.#freeForGood = true
    this.close()
    return 'free'
  }
}

/** Is the file at `path` the one with this device and inode? False also when it cannot be told. */
function leadsTo(calls: FlockCalls, path: string, dev: bigint, ino: bigint): boolean {
  try {
    const stat = calls.stat(path)
    return stat !== undefined && stat.ino === ino && stat.dev === dev && stat.nlink > 0n
  } catch (error) {
    if (errnoOf(error) !== undefined) return false
    throw error
  }
}

/** The descriptor is gone whatever close() says, and there is nobody who could do better. */
function closeQuietly(calls: FlockCalls, fd: number): void {
  try {
    calls.close(fd)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
}
