import { constants } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from './errno.ts'
import { ProcrefError } from './errors.ts'
import type { FileLock, FileLocker } from './file-locker.ts'
import { slotFileName } from './slot-name.ts'
import { parseRecord, RECORD_BYTES, type SlotRecord } from './slot-record.ts'
import type { SystemCalls } from './system-calls.ts'

/** Replaced this often while we lock it, a file is being deleted on purpose. */
const MAX_REPLACEMENTS = 8

/** Something deletes slot files as fast as they are locked, so no claim could be trusted. */
export class SlotFileUnstableError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_SLOT_FILE_UNSTABLE',
      `${path} was replaced ${MAX_REPLACEMENTS} times while it was being locked. Stop whatever cleans this directory.`,
    )
    this.path = path
  }
}

/** What it takes to lock the slot files of one directory. */
export interface SlotFiles {
  readonly dir: string
  readonly size: number
  readonly locker: FileLocker
  readonly system: SystemCalls
  /** What this process writes into a file it has locked; see `encodeRecord`. */
  readonly record: Uint8Array
  path(slot: number): string
}

export function slotPaths(dir: string): (slot: number) => string {
  // Built once per slot: on the way of every claim.
  const paths: string[] = []
  return (slot) => {
    paths[slot] ??= join(dir, slotFileName(slot))
    return paths[slot]
  }
}

/**
 * Locks the slot file at `path` without waiting; `undefined`: refused now, by a holder or by a prober
 * (only a probe that answers `held` proves a holder).
 *
 * Guarantee: until the lock is released nobody else can lock this file, and `path` led to it when it was locked.
 * Unspecified: who wins among simultaneous callers.
 * Caller: release the lock; keep its descriptor from children, or the slot lives as long as they do; check
 * again before relying on it later, because the file can be deleted meanwhile.
 */
export function tryLockSlotFile(locker: FileLocker, path: string): FileLock | undefined {
  for (let replaced = 0; replaced < MAX_REPLACEMENTS; replaced++) {
    const lock = locker.tryLock(path)
    if (lock === undefined) return undefined
    let keep = false
    try {
      keep = lock.isCurrent()
      if (keep) return lock
    } finally {
      // A lock on a file no longer at `path` excludes nobody: the next claimer creates a new one.
      if (!keep) lock.release()
    }
  }
  throw new SlotFileUnstableError(path)
}

/** Locks slot `slot` and writes who has it; `undefined` as `tryLockSlotFile`. */
export function tryTakeSlot(files: SlotFiles, slot: number): FileLock | undefined {
  const path = files.path(slot)
  if (files.locker.tryTake !== undefined) return takeInOne(files.locker, path, files.record)
  const lock = tryLockSlotFile(files.locker, path)
  if (lock === undefined) return undefined
  try {
    writeRecord(files, lock)
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}

function takeInOne(locker: FileLocker, path: string, record: Uint8Array): FileLock | undefined {
  try {
    return locker.tryTake?.(path, record)
  } catch (error) {
    throw errnoOf(error) === 'ESTALE' ? new SlotFileUnstableError(path) : error
  }
}

/** Writes who has the slot into the file that was locked; false: it is not the slot any more (deleted or replaced). */
export function adoptSlot(files: SlotFiles, lock: FileLock): boolean {
  if (lock.adopt !== undefined) return lock.adopt(files.record)
  if (!lock.isCurrent()) return false
  writeRecord(files, lock)
  return true
}

/** The record is a label, so a full disk does not turn a claimer away: the slot is ours by its lock. */
function writeRecord(files: SlotFiles, lock: FileLock): void {
  try {
    if (lock.fd !== undefined) {
      files.system.pwrite(lock.fd, files.record, 0)
      return
    }
    const fd = files.system.open(lock.path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      files.system.pwrite(fd, files.record, 0)
    } finally {
      files.system.close(fd)
    }
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOSPC' && errno !== 'EDQUOT') throw error
  }
}

/** Who wrote into the slot file at `path`; `undefined` when there is none or it says nothing. */
export function readRecord(system: SystemCalls, path: string): SlotRecord | undefined {
  let fd: number | undefined
  try {
    fd = system.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const buffer = new Uint8Array(RECORD_BYTES)
    return parseRecord(buffer.subarray(0, system.pread(fd, buffer, 0)))
  } catch (error) {
    // A label only: whatever keeps the system from reading it, the holder is nameless.
    if (errnoOf(error) !== undefined) return undefined
    throw error
  } finally {
    if (fd !== undefined) system.close(fd)
  }
}
