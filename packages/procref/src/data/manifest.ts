import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, translateErrno } from '@procref/core'
import type { ServerNamed } from './data-session.ts'
import { BackupUnusableError, type DatabaseName, NewerBackupError } from './errors.ts'

export const MANIFEST = 'manifest.json'
/** Raised when an older procref would misunderstand a backup. */
export const BACKUP_FORMAT = 1
/** Of any number of databases that a machine can have. */
const MAX_BYTES = 64 * 1024 * 1024
/** Never a path: what is read comes out of the folder itself. */
const PART_NAME = /^\d{4,}\.surql$/

/** One database of a backup. */
export interface BackupPart extends DatabaseName {
  /** Its name in the folder. */
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  /** When its export began: it is as it was then, or a moment later. */
  readonly startedAt: string
}

/** What the server keeps and an export has not. */
export interface NotIncluded {
  readonly rootUsers: readonly string[]
  readonly rootAccesses: readonly string[]
  readonly namespaces: readonly {
    readonly namespace: string
    readonly users: readonly string[]
    readonly accesses: readonly string[]
  }[]
  readonly databases: readonly (DatabaseName & {
    /** Included without their keys, so that they have to be defined again. */
    readonly accessesWithoutKey: readonly string[]
    /** Included; they begin again where they began first. */
    readonly sequences: readonly string[]
    /** Included without the files in them. */
    readonly buckets: readonly string[]
    readonly models: readonly string[]
  })[]
}

/** `manifest.json`, written last: a folder without it is no backup. Stable: fields are only added. */
export interface Manifest {
  readonly format: number
  /** The version of procref that wrote it. */
  readonly procref: string
  readonly createdAt: string
  readonly server: ServerNamed & { readonly storage: string | null }
  /** All of them, also those without a database. */
  readonly namespaces: readonly string[]
  readonly databases: readonly BackupPart[]
  readonly notIncluded: NotIncluded
}

/** Throws `BackupUnusableError`, `NewerBackupError`, `FileAccessError`. */
export function readManifest(dir: string): Manifest {
  const value = parse(dir, read(dir))
  const { format } = value
  if (!Number.isSafeInteger(format)) throw new BackupUnusableError(dir, [`${MANIFEST} names no format`])
  if ((format as number) > BACKUP_FORMAT) throw new NewerBackupError(dir, format as number, BACKUP_FORMAT)
  if (!isManifest(value)) throw new BackupUnusableError(dir, [`${MANIFEST} is not as procref writes it`])
  return value
}

function read(dir: string): string {
  const path = join(dir, MANIFEST)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new BackupUnusableError(dir, [`it has no ${MANIFEST}, so it is none, or one that was never finished`])
    }
    throw translateErrno(error, 'read', path)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > MAX_BYTES)
      throw new BackupUnusableError(dir, [`${MANIFEST} is no file of procref's`])
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function parse(dir: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new BackupUnusableError(dir, [`${MANIFEST} is damaged`])
}

function isManifest(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, unknown>> & Manifest {
  const { procref, createdAt, server, namespaces, databases, notIncluded } = value
  return (
    isText(procref) &&
    isText(createdAt) &&
    isObject(server) &&
    isText(server.driver) &&
    Array.isArray(namespaces) &&
    namespaces.every(isText) &&
    Array.isArray(databases) &&
    databases.every(isPart) &&
    new Set(databases.map(({ file }) => file)).size === databases.length &&
    isObject(notIncluded)
  )
}

function isPart(value: unknown): value is BackupPart {
  return (
    isObject(value) &&
    isText(value.namespace) &&
    isText(value.database) &&
    isText(value.file) &&
    PART_NAME.test(value.file) &&
    Number.isSafeInteger(value.bytes) &&
    isText(value.sha256) &&
    /^[0-9a-f]{64}$/.test(value.sha256) &&
    isText(value.startedAt)
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
