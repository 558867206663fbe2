import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { JOURNAL_LIMIT_BYTES } from './journal.ts'
import { parseJson } from './small-file.ts'

export interface JournalCondition {
  readonly bytes: number
  /** Lines that are no JSON objects, the last one aside. */
  readonly damagedLines: number
  /** The last line has no end: where it begins, and its length. Its writer was killed or the disk was full. */
  readonly torn?: { readonly at: number; readonly bytes: number }
}

/** Beyond this only the end is read: a journal of this size has not been rotated for long, and says so by its size. */
const MAX_READ_BYTES = 4 * JOURNAL_LIMIT_BYTES
const NOFOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What is wrong with the journal at `path`; `undefined`: there is none. The system's errors pass through. */
export function examineJournal(path: string): JournalCondition | undefined {
  const fd = openIfThere(path, constants.O_RDONLY)
  if (fd === undefined) return undefined
  try {
    return conditionOf(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Makes a torn last line a blank one, in its place.
 *
 * Guarantee: no byte outside of that line is touched, so that lines which others append meanwhile stay, whether they come before or
 * after. Answers false, and nothing was done, when the line is not as `torn` says any more.
 */
export function blankTornLine(path: string, torn: NonNullable<JournalCondition['torn']>): boolean {
  const fd = openIfThere(path, constants.O_RDWR)
  if (fd === undefined) return false
  try {
    const now = conditionOf(fd).torn
    // It has grown: its writer was in the middle of it.
    if (now?.at !== torn.at || now.bytes !== torn.bytes) return false
    writeSync(fd, Buffer.from(`${' '.repeat(torn.bytes - 1)}\n`), 0, torn.bytes, torn.at)
    return true
  } finally {
    closeSync(fd)
  }
}

function conditionOf(fd: number): JournalCondition {
  const { size: bytes } = fstatSync(fd)
  const from = Math.max(0, bytes - MAX_READ_BYTES)
  const buffer = Buffer.alloc(bytes - from)
  const read = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from))
  const end = read.lastIndexOf(0x0a) + 1
  const lines = read.toString('utf8', 0, end).split('\n')
  // The first line of a part is usually a part of a line.
  const whole = from === 0 ? lines : lines.slice(1)
  const damagedLines = whole.filter((line) => line.trim() !== '' && !isObject(parseJson(line))).length
  return {
    bytes,
    damagedLines,
    ...(end < read.length && { torn: { at: from + end, bytes: read.length - end } }),
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function openIfThere(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags | NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
