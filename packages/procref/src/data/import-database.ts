import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { translateErrno } from '@procref/core'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from '@procref/lifecycle'
import type { ServiceQuestion } from '../service.ts'
import { named, type ServerNamed, withServer } from './data-session.ts'
import { FolderImportError } from './errors.ts'
import { importFrom } from './import-stream.ts'

export interface ImportOptions extends ServiceQuestion {
  /** Default `main`; made if missing. */
  readonly namespace?: string
  /** Default `main`; made if missing. */
  readonly database?: string
  /** The path of a file, or what to read. */
  readonly from: string | Readable
  /** Told how much was sent, for each piece. */
  readonly onBytes?: (bytes: number) => void
}

/** Stable: fields are only added. */
export interface Imported {
  /** `null`: read from a stream. */
  readonly file: string | null
  readonly namespace: string
  readonly database: string
  readonly bytes: number
  readonly server: ServerNamed
}

/**
 * Carries out the statements of an export on a database, which is made if it is missing. Starts the server if nobody runs it.
 *
 * Guarantee: streamed; when it resolves every statement was carried out.
 * Unspecified: what is there when it rejects: an import is no transaction, and statements that fail do not undo the others.
 * Errors: as `connect()`, and `PROCREF_IMPORT_FAILED` with the server's words, `PROCREF_DATABASE_NAME`, those of files, and the signal's reason.
 */
export async function importDatabase(options: ImportOptions): Promise<Imported> {
  const { namespace = DEFAULT_NAMESPACE, database = DEFAULT_DATABASE, from, onBytes, ...question } = options
  // The file first: one that cannot be read starts no server.
  const { body, path } = await openSource(from)
  const { signal } = question
  try {
    return await withServer(question, async (calls, server) => {
      await calls.define({ namespace, database })
      const source = path ?? 'standard input'
      const { bytes } = await importFrom(calls, { namespace, database }, body, { source, onBytes, signal })
      return { file: path, namespace, database, bytes, server: named(server) }
    })
  } finally {
    body.destroy()
  }
}

interface Source {
  readonly body: Readable
  readonly path: string | null
}

async function openSource(from: string | Readable): Promise<Source> {
  if (typeof from !== 'string') return { body: from, path: null }
  const path = resolve(from)
  try {
    const handle = await open(path, 'r')
    if (!(await handle.stat()).isDirectory()) return { body: handle.createReadStream(), path }
    await handle.close()
  } catch (error) {
    throw translateErrno(error, 'read', path)
  }
  throw new FolderImportError(path)
}
