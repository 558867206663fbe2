import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import {
  errnoOf,
  type FileLocker,
  ProcrefError,
  parseRecord,
  RECORD_BYTES,
  type SlotInfo,
  slotOfFileName,
} from '@procref/core'

/**
 * Who holds the slot files in `dir`, found by probing each: for a directory without `protocol.json`, which opening a pool would make. What
 * cannot be probed counts as held.
 */
export function probeSlotFiles(dir: string, locks: FileLocker): readonly SlotInfo[] {
  return readdirSync(dir)
    .flatMap((name) => {
      const slot = slotOfFileName(name)
      const path = join(dir, name)
      return slot === undefined || isFree(path, locks) ? [] : [{ slot, path, ...readRecord(path) }]
    })
    .sort((a, b) => a.slot - b.slot)
}

function isFree(path: string, locks: FileLocker): boolean {
  try {
    const watch = locks.watch(path)
    try {
      return watch.probe() === 'free'
    } finally {
      watch.close()
    }
  } catch (error) {
    if (errnoOf(error) === undefined && !(error instanceof ProcrefError)) throw error
    return errnoOf(error) === 'ENOENT'
  }
}

function readRecord(path: string) {
  const bytes = new Uint8Array(RECORD_BYTES)
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      return parseRecord(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
