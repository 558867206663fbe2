import { mkdirSync, renameSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { translateErrno } from '@procref/core'
import { isNewer, type LeasedServer, readEngineRecord } from '@procref/lifecycle'
import { ownVersion } from '../own-version.ts'
import { resolvePlace } from '../place.ts'
import type { ServiceQuestion } from '../service.ts'
import { named, withServer } from './data-session.ts'
import { type DatabaseName, TargetExistsError } from './errors.ts'
import { exportInto } from './export-stream.ts'
import { BACKUP_FORMAT, type BackupPart, MANIFEST, type Manifest } from './manifest.ts'
import { discardPart, lookAt, openNewFile, partOf, syncDirectory, writerOf } from './new-file.ts'
import { notIncludedOf, type Seen } from './not-included.ts'
import type { ServerCalls } from './server-calls.ts'

/** Exports of servers since then tell how far sequences are. */
const KEEPS_SEQUENCES = '3.3.5'

export interface BackupOptions extends ServiceQuestion {
  /** The folder to make. Nothing may be there. */
  readonly to: string
  /** Told which database is being exported, and how much of it has come. */
  readonly onBytes?: (bytes: number, database: DatabaseName) => void
}

/** Stable: fields are only added. */
export interface BackedUp extends Manifest {
  readonly path: string
}

/**
 * Writes all namespaces and databases into a new folder, while others go on using them. Starts the server if nobody runs it.
 *
 * Guarantee: each database is as it was at one moment. The folder (0700, its files 0600) is complete and on the disk when it gets its
 * name; when this rejects there is none of that name. docs/data.md has its form, and what is not in it.
 * Unspecified: what one database has of a change that is also in another: each is exported at its own moment. A database that is made
 * meanwhile may be missing. Of a program that was killed a folder `TO.<random>.part` stays.
 * Errors: as `exportDatabase()`.
 */
export async function backup({ to, onBytes, ...question }: BackupOptions): Promise<BackedUp> {
  const path = resolve(to)
  checkFree(path)
  const part = partOf(path)
  try {
    mkdirSync(part, { mode: 0o700 })
  } catch (error) {
    throw translateErrno(error, 'make the folder', path)
  }
  try {
    const manifest = await withServer(question, async (calls, server) => {
      const exported = await exportAll(calls, part, { signal: question.signal, onBytes })
      return manifestOf(exported, server, question.dir)
    })
    await writeFile(part, MANIFEST, async (handle) => {
      await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    })
    await syncDirectory(part)
    checkFree(path)
    // Replaces nothing but an empty folder that somebody else makes in this moment.
    renameSync(part, path)
    await syncDirectory(dirname(path))
    return { ...manifest, path }
  } catch (error) {
    discardPart(part)
    throw translateErrno(error, 'write', path)
  }
}

function checkFree(path: string): void {
  if (lookAt(path) === undefined) return
  throw new TargetExistsError(path, 'is there already', 'Give the path of a folder that is not there yet.')
}

interface AllParts {
  readonly parts: readonly BackupPart[]
  readonly seen: Omit<Seen, 'keepsSequences'>
}

async function exportAll(
  calls: ServerCalls,
  dir: string,
  { signal, onBytes }: { readonly signal: AbortSignal | undefined; readonly onBytes: BackupOptions['onBytes'] },
): Promise<AllParts> {
  const root = await calls.rootInformation()
  const namespaces: { readonly namespace: string; readonly information: Seen['root'] }[] = []
  const databases: (DatabaseName & { readonly information: Seen['root'] })[] = []
  const parts: BackupPart[] = []
  for (const namespace of Object.keys(root.namespaces ?? {})) {
    const ofNamespace = await calls.namespaceInformation(namespace)
    namespaces.push({ namespace, information: ofNamespace })
    for (const database of Object.keys(ofNamespace.databases ?? {})) {
      const name = { namespace, database }
      const file = `${String(parts.length + 1).padStart(4, '0')}.surql`
      const startedAt = new Date().toISOString()
      await writeFile(dir, file, async (handle) => {
        const { bytes, sha256, information } = await exportInto(calls, name, writerOf(handle), {
          path: join(dir, file),
          signal,
          onBytes: (sofar) => onBytes?.(sofar, name),
        })
        databases.push({ ...name, information })
        parts.push({ ...name, file, bytes, sha256, startedAt })
      })
    }
  }
  return { parts, seen: { root, namespaces, databases } }
}

function manifestOf({ parts, seen }: AllParts, server: LeasedServer, dir: string | undefined): Manifest {
  const { version } = server
  return {
    format: BACKUP_FORMAT,
    procref: ownVersion(),
    createdAt: new Date().toISOString(),
    server: { ...named(server), storage: readEngineRecord(resolvePlace(dir).engineJson)?.storage ?? null },
    namespaces: seen.namespaces.map(({ namespace }) => namespace),
    databases: parts,
    notIncluded: notIncludedOf({
      ...seen,
      keepsSequences: version !== undefined && !isNewer(KEEPS_SEQUENCES, version),
    }),
  }
}

/** On the disk when it resolves. */
async function writeFile(dir: string, name: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await openNewFile(join(dir, name))
  try {
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
