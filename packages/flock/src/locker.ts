import { constants } from 'node:fs'
import {
  type FileLock,
  type FileLocker,
  type LockState,
  type LockWatch,
  type SystemCalls,
  systemCalls,
} from '@procref/core'
import { type FlockSync, loadFlock } from './fs-ext.ts'

/** Refused because somebody has the lock: EAGAIN, which is EWOULDBLOCK on every system Node runs on. */
const BUSY: ReadonlySet<unknown> = new Set(['EAGAIN', 'EWOULDBLOCK'])
const FILE_MODE = 0o600
const OPEN_TO_LOCK = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
const OPEN_TO_WATCH = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** `FileLocker` on flock(2). fs-ext is loaded at the first use, so that constructing a backend never fails. */
export function flockLocker(system: SystemCalls = systemCalls, load: () => FlockSync = loadFlock): FileLocker {
  return {
    tryLock: (path) => tryLock(path, system, load()),
    watch: (path) => watchLock(path, system, load()),
  }
}

function tryLock(path: string, system: SystemCalls, flock: FlockSync): FileLock | undefined {
  const fd = system.open(path, OPEN_TO_LOCK, FILE_MODE)
  if (!tryFlock(fd, 'exnb', system, flock)) return undefined
  let open = true
  return {
    path,
    fd,
    isCurrent: () => open && leadsTo(path, fd, system),
    release() {
      if (!open) return
      open = false
      // Closed, never LOCK_UN: that would take the lock from a child which shares the open file description.
      system.close(fd)
    },
  }
}

/** Closes `fd` unless the lock was obtained. */
function tryFlock(fd: number, mode: 'exnb' | 'shnb', system: SystemCalls, flock: FlockSync): boolean {
  for (;;) {
    try {
      flock(fd, mode)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A signal came in between; a non-blocking call is simply made again.
      if (code === 'EINTR') continue
      system.close(fd)
      if (BUSY.has(code)) return false
      throw error
    }
  }
}

function watchLock(path: string, system: SystemCalls, flock: FlockSync): LockWatch {
  const fd = system.open(path, OPEN_TO_WATCH)
  let open = true
  let lastError: unknown
  return {
    path,
    get lastError() {
      return lastError
    },
    probe(): LockState {
      if (!open) return 'unknown'
      try {
        return probe(fd, system, flock) ? 'free' : 'held'
      } catch (error) {
        lastError = error
        return 'unknown'
      }
    },
    isCurrent: () => open && leadsTo(path, fd, system),
    close() {
      if (!open) return
      open = false
      system.close(fd)
    },
  }
}

/**
 * A shared, non-blocking try, undone at once. On Linux through a descriptor of its own, opened anew from the watched one (so
 * that a deleted file can be probed as well) and closed again. /dev/fd of other systems only duplicates the descriptor: there the
 * watch's own open file description, which is never passed to a child, is locked and unlocked.
 */
function probe(fd: number, system: SystemCalls, flock: FlockSync): boolean {
  if (process.platform !== 'linux') {
    try {
      flock(fd, 'shnb')
    } catch (error) {
      if (BUSY.has((error as NodeJS.ErrnoException).code)) return false
      throw error
    }
    flock(fd, 'un')
    return true
  }
  const own = system.open(`/proc/self/fd/${fd}`, constants.O_RDONLY)
  if (!tryFlock(own, 'shnb', system, flock)) return false
  system.close(own)
  return true
}

function leadsTo(path: string, fd: number, system: SystemCalls): boolean {
  try {
    const opened = system.fstat(fd)
    const there = system.stat(path)
    return there !== undefined && opened.nlink > 0n && opened.dev === there.dev && opened.ino === there.ino
  } catch {
    // What cannot be told is not current: the contract of FileLock.isCurrent.
    return false
  }
}
