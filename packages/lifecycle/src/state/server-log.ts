import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { errnoOf, onFile } from '@procref/core'
import { StateFileUnsafeError } from '../errors.ts'

/** What a guardian lets the log grow to. */
export const SERVER_LOG_LIMIT_BYTES: number = 10 * 1024 * 1024
/** What `capServerLog` keeps, and what `tailServerLog` looks at. */
const TAIL_BYTES = 65_536
const TERMINAL_CONTROLS = /[^\P{Cc}\t\n]/gu

/**
 * Opens the log of the server for appending, making it 0600. The descriptor is handed to the server itself, not to a pipe:
 * nobody has to read it for the server to go on, and it outlives the guardian.
 * Caller: close it.
 */
export function openServerLog(path: string): number {
  // O_RDWR, for capServerLog; O_NONBLOCK changes nothing for a file and keeps a FIFO in its place from waiting.
  const flags =
    constants.O_RDWR |
    constants.O_APPEND |
    constants.O_CREAT |
    (constants.O_NOFOLLOW ?? 0) |
    (constants.O_NONBLOCK ?? 0)
  const fd = openSync(path, flags, 0o600)
  let keep = false
  try {
    keep = onFile(path, () => fstatSync(fd).isFile())
    if (keep) return fd
  } finally {
    if (!keep) closeSync(fd)
  }
  throw new StateFileUnsafeError(path, 'is not a regular file', 'Remove it')
}

/**
 * Cuts a log longer than `maxBytes` to its last 64 KiB, in place, because the server goes on writing to the same file;
 * answers whether it did. Lines that arrive during the cut stay, before the ones that were kept.
 */
export function capServerLog(fd: number, maxBytes: number): boolean {
  const { size } = fstatSync(fd)
  if (size <= maxBytes) return false
  const kept = readEnd(fd, size, Math.min(TAIL_BYTES, maxBytes))
  ftruncateSync(fd, 0)
  writeSync(fd, Buffer.concat([Buffer.from(`[procref] cut at ${size} bytes\n`), kept.subarray(kept.indexOf(0x0a) + 1)]))
  return true
}

/**
 * The last `lines` lines, without colours and other terminal controls; none when there is no log. Reads only its end; with
 * `from`, the log's size at some earlier time, only what was written since (all of it, if the log was cut meanwhile).
 */
export function tailServerLog(path: string, lines: number, from = 0): string[] {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    return onFile(path, () => endOfLog(fd, lines, from))
  } finally {
    closeSync(fd)
  }
}

/**
 * As `tailServerLog`, for what is shown beside something else, or only looked at again and again: none when the log cannot be read,
 * because that must not hide what there is to say.
 */
export function lastWords(path: string, lines: number, from?: number): string[] {
  try {
    return tailServerLog(path, lines, from)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return []
  }
}

function endOfLog(fd: number, lines: number, from: number): string[] {
  const { size } = fstatSync(fd)
  const fresh = from <= size ? size - from : size
  const end = readEnd(fd, size, Math.min(fresh, TAIL_BYTES))
  // The first line of a part is usually a part of a line.
  const whole = end.length < fresh ? end.subarray(end.indexOf(0x0a) + 1) : end
  const clean = stripVTControlCharacters(whole.toString('utf8')).replaceAll('\r\n', '\n').trimEnd()
  if (clean === '') return []
  return clean
    .split('\n')
    .slice(-lines)
    .map((line) => line.replace(TERMINAL_CONTROLS, ''))
}

function readEnd(fd: number, size: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(Math.min(size, bytes))
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, size - buffer.length))
}
