import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { translateErrno } from './errno.ts'
import type { FileLocker } from './file-locker.ts'
import { UnsupportedFilesystemError } from './filesystem.ts'
import { leadsElsewhere } from './leads-elsewhere.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'
import { removeTemporary } from './temporary-file.ts'

/**
 * Tries out, on a file of its own in `dir`, that locks exclude there: a second lock and a probe are refused while the first
 * lasts, and neither afterwards. Leaves nothing behind. `filesystem` is for the message of the
 * `UnsupportedFilesystemError` that is thrown when they do not.
 */
export function testMedium(
  locker: FileLocker,
  dir: string,
  filesystem: string,
  system: SystemCalls = systemCalls,
): void {
  const path = join(dir, `medium-test.${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
  try {
    const problem = faultOf(locker, path, system)
    if (problem !== undefined)
      throw new UnsupportedFilesystemError(dir, filesystem, `where locks do not work: ${problem}`)
  } catch (error) {
    throw translateErrno(error, 'try out a lock on', path)
  } finally {
    removeTemporary(path, system)
    locker.discard?.(path)
  }
}

function faultOf(locker: FileLocker, path: string, system: SystemCalls): string | undefined {
  const first = locker.tryLock(path)
  if (first === undefined) return 'a new file could not be locked'
  try {
    const second = locker.tryLock(path)
    second?.release()
    if (second !== undefined) return 'a file could be locked twice'
    const state = probe(locker, path)
    if (state !== 'held') return `a locked file was found ${state}`
    if (leadsElsewhere(first, system)) return 'a locked file was not the one at its path'
  } finally {
    first.release()
  }
  const state = probe(locker, path)
  return state === 'free' ? undefined : `a released file was found ${state}`
}

function probe(locker: FileLocker, path: string) {
  const watch = locker.watch(path)
  try {
    const state = watch.probe()
    // Of the medium it says nothing when there was no descriptor left to look with.
    if (state === 'unknown' && watch.lastError !== undefined) throw watch.lastError
    return state
  } finally {
    watch.close()
  }
}
