import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import type { SystemCalls } from './system-calls.ts'
import { UnsafeFileError } from './unsafe-file.ts'

/**
 * The file that leads to a pool's slots is damaged, or what it leads to is. It is not replaced by itself: a process that opened it
 * before may hold slots in it.
 */
export class TableDamagedError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string, cause?: unknown) {
    super(
      'PROCREF_TABLE_DAMAGED',
      `${path} ${problem}. End every program that uses this directory, then delete the file.`,
      { cause },
    )
    this.path = path
  }
}

/** Which file a path led to when it was opened; right for as long as it is kept open, since nobody gets its inode number until then. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
}

/** Opens the plain file of ours at `path`; `undefined`: there is nothing. */
export function openIfThere(system: SystemCalls, path: string): (FileIdentity & { readonly fd: number }) | undefined {
  let fd: number
  try {
    // Non-blocking: opening a FIFO must not wait for its writer.
    fd = system.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw translateErrno(error, 'open', path)
  }
  let keep = false
  try {
    const stat = system.fstat(fd)
    const user = process.geteuid?.()
    if (!stat.isFile()) throw new UnsafeFileError(path, 'is not a plain file')
    if (user !== undefined && Number(stat.uid) !== user) {
      throw new UnsafeFileError(path, `belongs to user ${stat.uid}, and this process is user ${user}`)
    }
    keep = true
    return { fd, dev: stat.dev, ino: stat.ino }
  } finally {
    if (!keep) system.close(fd)
  }
}

/** Does `path` lead to this file? False also when it cannot be told. */
export function leadsTo(system: SystemCalls, path: string, { dev, ino }: FileIdentity): boolean {
  try {
    const stat = system.lstat(path)
    return stat !== undefined && stat.ino === ino && stat.dev === dev
  } catch (error) {
    if (errnoOf(error) !== undefined) return false
    throw error
  }
}

/**
 * Puts a new file at `path`, whole, in the place of what is there. `write` makes it under the temporary name that it is given.
 *
 * Caller: holds the control lock; two who replace at once could each remove the other's file.
 */
export function replaceFile(system: SystemCalls, path: string, write: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  try {
    write(temporary)
    removeIfThere(system, path)
    // Not rename: what appeared meanwhile was put there by somebody who has no lock, and is not ours to remove.
    system.link(temporary, path)
  } catch (error) {
    throw translateErrno(error, 'make', path)
  } finally {
    removeIfThere(system, temporary)
  }
}

function removeIfThere(system: SystemCalls, path: string): void {
  try {
    system.unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
