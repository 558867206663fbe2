import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errnoOf, translateErrno } from '@procref/core'
import type { ServiceQuestion } from '../service.ts'
import { named, type ServerNamed, withServer } from './data-session.ts'
import {
  BackupUnusableError,
  type DatabaseName,
  ImportFailedError,
  RestoreIncompleteError,
  RestoreTargetNotEmptyError,
} from './errors.ts'
import { importFrom } from './import-stream.ts'
import { type BackupPart, type Manifest, readManifest } from './manifest.ts'
import type { Information, ServerCalls } from './server-calls.ts'

/** How both servers refuse an access whose key is not in the backup. */
const WITHOUT_KEY = /^The access method '(.*)' names the redaction placeholder as its key/s

export interface RestoreOptions extends ServiceQuestion {
  /** A folder that `backup()` made. */
  readonly from: string
  /** `replace`: a database of the backup in which there is something is removed, and then restored. Default `fail`. */
  readonly ifNotEmpty?: 'fail' | 'replace'
  /** Told which database is being restored, and how much of it was sent. */
  readonly onBytes?: (bytes: number, database: DatabaseName) => void
}

/** Stable: fields are only added. */
export interface Restored {
  readonly path: string
  readonly createdAt: string
  readonly databases: readonly (DatabaseName & {
    readonly bytes: number
    /** Something was there, and was removed. */
    readonly replaced: boolean
    /** Not restored, because no backup has their keys: to be defined again. */
    readonly accessesWithoutKey: readonly string[]
  })[]
  readonly server: ServerNamed
}

/**
 * Makes all databases of a backup again. Starts the server if nobody runs it; any kind of server restores what any other wrote.
 *
 * Guarantee: nothing is written before the whole backup was read and its sizes and checksums were right, and every database that it
 * has was found empty or missing (`fail`). Databases that the backup does not have are not touched, nor are users of the root.
 * Unspecified: what a database has that others write into meanwhile.
 * Errors: as `connect()`; with nothing changed `PROCREF_BACKUP_UNUSABLE`, `PROCREF_NEWER_BACKUP`, `PROCREF_RESTORE_TARGET_NOT_EMPTY`,
 * `PROCREF_DATABASE_NAME`; with a part of it done `PROCREF_RESTORE_INCOMPLETE`, which says which.
 * Caller: sees to it that nobody uses these databases meanwhile.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { from, ifNotEmpty = 'fail', onBytes, ...question } = options
  const path = resolve(from)
  const manifest = readManifest(path)
  await verifyParts(path, manifest, question.signal)
  return await withServer(question, async (calls, server) => {
    const used = await notEmptyOf(calls, manifest)
    if (used.length > 0 && ifNotEmpty === 'fail') throw new RestoreTargetNotEmptyError(used)
    const databases: Restored['databases'][number][] = []
    for (const [index, part] of manifest.databases.entries()) {
      try {
        const replaced = used.some((database) => isSame(database, part))
        if (replaced) await calls.remove(part)
        await calls.define(part)
        const accessesWithoutKey = await restorePart(calls, path, part, question.signal, onBytes)
        const { namespace, database, bytes } = part
        databases.push({ namespace, database, bytes, replaced, accessesWithoutKey })
      } catch (error) {
        const [failed, ...notBegun] = manifest.databases.slice(index).map(({ namespace, database }) => ({
          namespace,
          database,
        }))
        const done = databases.map(({ namespace, database }) => ({ namespace, database }))
        throw new RestoreIncompleteError({ path, done, failed: failed ?? part, notBegun }, error)
      }
    }
    for (const namespace of manifest.namespaces) await calls.defineNamespace(namespace)
    return { path, createdAt: manifest.createdAt, databases, server: named(server) }
  })
}

/** Throws `BackupUnusableError` with everything that is wrong. */
async function verifyParts(dir: string, manifest: Manifest, signal: AbortSignal | undefined): Promise<void> {
  const problems: string[] = []
  for (const part of manifest.databases) {
    signal?.throwIfAborted()
    const problem = await problemOf(dir, part)
    if (problem !== undefined) problems.push(`${part.file} ${problem}`)
  }
  if (problems.length > 0) throw new BackupUnusableError(dir, problems)
}

async function problemOf(dir: string, { file, bytes, sha256 }: BackupPart): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await openPart(dir, file)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'is missing'
    if (errnoOf(error) === 'ELOOP') return 'is a symbolic link'
    throw translateErrno(error, 'read', join(dir, file))
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) return 'is no regular file'
    if (stat.size !== bytes) return `has ${stat.size} bytes, and had ${bytes}`
    const hash = createHash('sha256')
    for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer)
    return hash.digest('hex') === sha256 ? undefined : 'has another checksum than it had'
  } finally {
    await handle.close()
  }
}

async function openPart(dir: string, file: string): Promise<FileHandle> {
  return await open(join(dir, file), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
}

async function notEmptyOf(calls: ServerCalls, { databases }: Manifest): Promise<readonly DatabaseName[]> {
  const found: DatabaseName[] = []
  for (const { namespace, database } of databases) {
    calls.checkName({ namespace, database })
    const information = await calls.databaseInformation({ namespace, database })
    if (information !== undefined && !isEmpty(information)) found.push({ namespace, database })
  }
  return found
}

/** Nothing is defined in it; a table that has rows is always defined. */
function isEmpty(information: Information): boolean {
  return Object.values(information).every((section) => Object.keys(section ?? {}).length === 0)
}

/** Resolves with the accesses that were left out, whose keys no backup has. Any other failure is thrown. */
async function restorePart(
  calls: ServerCalls,
  dir: string,
  part: BackupPart,
  signal: AbortSignal | undefined,
  onBytes: RestoreOptions['onBytes'],
): Promise<readonly string[]> {
  const body = (await openPart(dir, part.file)).createReadStream()
  try {
    const { namespace, database } = part
    await importFrom(calls, { namespace, database }, body, {
      source: join(dir, part.file),
      sha256: part.sha256,
      signal,
      onBytes: (bytes) => onBytes?.(bytes, { namespace, database }),
    })
    return []
  } catch (error) {
    if (!(error instanceof ImportFailedError)) throw error
    const names = error.failures.map((failure) => WITHOUT_KEY.exec(failure)?.[1])
    const known = names.filter((name) => name !== undefined)
    if (known.length === 0 || known.length !== names.length) throw error
    return known
  } finally {
    body.destroy()
  }
}

function isSame(a: DatabaseName, b: DatabaseName): boolean {
  return a.namespace === b.namespace && a.database === b.database
}
