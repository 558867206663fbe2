import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FileAccessError } from '@procref/core'
import { pause } from '../delay.ts'

/** For what a server writes when it opens its database, beside what it makes of its logs. */
const LEAST_BYTES = 8 * 1024 * 1024
/** RocksDB makes about six as it opens (manifest, options, log, table …) before it removes as many. */
const LEAST_FILES = 16
/** What has been committed and is in no table yet (RocksDB's, SurrealKV's): opening the database writes it once more. */
const LOG = /\.(log|wal)$/
const LOOK_MS = 1_000

export interface Room {
  /** In bytes, for this user. */
  readonly free: number
  /** How many files can be made (inodes); infinitely many where the file system does not count them. */
  readonly files: number
  /** For nothing that a server does; costs one system call to know. */
  readonly isLow: boolean
  /** For a server to open its database, in bytes: looks at the database's files. */
  needed(): number
}

/** What is free where the database lies. What cannot be found out is no hindrance; a quota is not seen. */
export function roomOf(databaseDir: string): Room {
  const { free, files } = leftAt(databaseDir)
  const isLow = free < LEAST_BYTES || files < LEAST_FILES
  return { free, files, isLow, needed: () => LEAST_BYTES + logBytes(databaseDir) }
}

/**
 * Resolves when there is room to open the database; waits `forMs` for it, and says once, by `waits`, for what. Throws `NoRoomError`
 * (`PROCREF_DISK_FULL`), or the signal's reason.
 *
 * Why a database is not even opened on a full disk: SurrealKV (3.3.5) repairs a log that a full disk has torn by writing it anew, and what does
 * not fit is lost, acknowledged or not.
 */
export async function obtainRoom(
  databaseDir: string,
  forMs: number,
  signal: AbortSignal,
  waits: (lack: NoRoomError) => void,
): Promise<void> {
  const deadline = performance.now() + forMs
  for (let isTold = false; ; isTold = true) {
    const lack = lackOfRoom(databaseDir)
    if (lack === undefined) return
    if (performance.now() >= deadline) throw lack
    if (!isTold) waits(lack)
    await pause(LOOK_MS, signal)
  }
}

/** Why a server cannot open its database, if that is for want of room. */
export function lackOfRoom(databaseDir: string): NoRoomError | undefined {
  const room = roomOf(databaseDir)
  return suffices(room) ? undefined : noRoom(databaseDir, room)
}

/** Whether a server can open its database. */
export function suffices(room: Room): boolean {
  return !room.isLow && room.free >= room.needed()
}

/** There was none as long as it was waited for. */
export class NoRoomError extends FileAccessError {}

function noRoom(path: string, { free, files, needed }: Room): NoRoomError {
  const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`
  const [left, least, remedy] =
    files < LEAST_FILES
      ? [`${files} more files can be made (\`df -i\`)`, LEAST_FILES, 'Remove some files']
      : [`${megabytes(free)} are free`, megabytes(needed()), 'Free some space']
  const message =
    `The disk of ${path} is full (ENOSPC): ${left}, and to open the database safely takes ${least}. ` +
    `${remedy} on that disk and try again; the data are untouched.`
  return new NoRoomError('PROCREF_DISK_FULL', message, path, 'ENOSPC', undefined)
}

function leftAt(path: string): Pick<Room, 'free' | 'files'> {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path)
    return { free: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree }
  } catch {
    return { free: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY }
  }
}

function logBytes(databaseDir: string): number {
  try {
    const entries = readdirSync(databaseDir, { recursive: true, withFileTypes: true })
    const logs = entries.filter((entry) => entry.isFile() && LOG.test(entry.name))
    return logs.reduce((sum, { parentPath, name }) => sum + sizeOf(join(parentPath, name)), 0)
  } catch {
    return 0
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
