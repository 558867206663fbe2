import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { type FileLocker, identifySelf, isProcessIdentity, type ProcessIdentity } from '@procref/core'
import { probeAlive } from '../client/look.ts'
import { parseJson, readSmallFile } from '../state/small-file.ts'

/** Written over what an earlier keeper left, without truncating: whoever reads sees one record or the other. */
const RECORD_BYTES = 512

/** What can be seen of the keeper of a directory: its lock decides whether it is there, its record only tells who it is. */
export interface KeeperSeen {
  readonly held: boolean
  /** Absent when nobody holds the lock, and for the moment before its holder has written. */
  readonly identity?: ProcessIdentity
}

/** Writes who keeps the server into the lock file at `path`. Caller: holds that lock. */
export function writeKeeperRecord(path: string): void {
  const fd = openSync(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    writeSync(fd, `${JSON.stringify(identifySelf())}\n`.padEnd(RECORD_BYTES), 0)
  } finally {
    closeSync(fd)
  }
}

/** Probes the keeper's lock; creates nothing. */
export function lookAtKeeper(locks: FileLocker, path: string): KeeperSeen {
  if (probeAlive(locks, path) === 'absent') return { held: false }
  const file = readSmallFile(path)
  const record = file.kind === 'text' ? parseJson(file.text) : undefined
  return isProcessIdentity(record) ? { held: true, identity: record } : { held: true }
}
