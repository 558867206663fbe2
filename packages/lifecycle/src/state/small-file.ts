import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { onFile } from '@procref/core'
import { StateFileUnsafeError } from '../errors.ts'

/** No file of ours comes near this; whatever does is not ours. */
const MAX_BYTES = 1 << 20

/** `exposed`: its mode lets other users in (never on Windows). `unusable`: something is at the path that none of our writers put there, said in words that follow the path. */
export type SmallFile =
  | { readonly kind: 'text'; readonly text: string; readonly exposed: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string }

/**
 * Reads a small file of the directory whole.
 *
 * Guarantee: follows no symbolic link, never waits (a FIFO), and refuses a file that belongs to another user
 * (`StateFileUnsafeError`); the errors of the system pass through.
 */
export function readSmallFile(path: string): SmallFile {
  const fd = openForReading(path)
  if (typeof fd !== 'number') return fd
  try {
    return onFile(path, () => readWhole(fd, path))
  } finally {
    closeSync(fd)
  }
}

function readWhole(fd: number, path: string): SmallFile {
  const stat = fstatSync(fd)
  if (!stat.isFile()) return { kind: 'unusable', reason: 'is not a regular file' }
  const own = process.geteuid?.()
  if (own !== undefined && own !== stat.uid)
    throw new StateFileUnsafeError(path, `belongs to the user ${stat.uid}`, 'Remove it')
  if (stat.size > MAX_BYTES) return { kind: 'unusable', reason: `has ${stat.size} bytes` }
  const bytes = Buffer.allocUnsafe(stat.size)
  let length = 0
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, length)
    if (read === 0) break
    length += read
  }
  return {
    kind: 'text',
    text: bytes.toString('utf8', 0, length),
    exposed: own !== undefined && (stat.mode & 0o077) !== 0,
  }
}

/** The value of a JSON text; `undefined` when it is not one. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function openForReading(path: string): number | SmallFile {
  try {
    // O_NONBLOCK: opening a FIFO would wait for a writer. O_NOFOLLOW is missing on Windows.
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { kind: 'missing' }
    if (code === 'ELOOP') return { kind: 'unusable', reason: 'is a symbolic link' }
    throw error
  }
}
