import type { Writable } from 'node:stream'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from '@procref/lifecycle'
import type { ServiceQuestion } from '../service.ts'
import { named, type ServerNamed, withServer } from './data-session.ts'
import { exportInto } from './export-stream.ts'
import { type IfExists, NewFile } from './new-file.ts'

export interface ExportOptions extends ServiceQuestion {
  /** Default `main`. */
  readonly namespace?: string
  /** Default `main`. */
  readonly database?: string
  /** The path of a file, or where to write; a stream is ended. */
  readonly to: string | Writable
  /** Of a file. Default `fail`. */
  readonly ifExists?: IfExists
  /** Told how much has come, for each piece. */
  readonly onBytes?: (bytes: number) => void
}

/** Stable: fields are only added. */
export interface Exported {
  /** `null`: written to a stream. */
  readonly file: string | null
  readonly namespace: string
  readonly database: string
  readonly bytes: number
  readonly sha256: string
  readonly server: ServerNamed
}

/**
 * Writes one database as SurrealQL, as it was at one moment, while others go on using it. Starts the server if nobody runs it.
 *
 * Guarantee: streamed, as fast as `to` takes it. A file is complete and on the disk when it gets its name, 0600; what was at the path stays
 * when this rejects. docs/data.md says what is not in it.
 * Unspecified: what a stream has got when this rejects.
 * Errors: as `connect()`, and `PROCREF_EXPORT_FAILED`, `PROCREF_DATABASE_NOT_FOUND`, `PROCREF_DATABASE_NAME`, `PROCREF_TARGET_EXISTS`, those of
 * files, and the signal's reason.
 */
export async function exportDatabase(options: ExportOptions): Promise<Exported> {
  const {
    namespace = DEFAULT_NAMESPACE,
    database = DEFAULT_DATABASE,
    to,
    ifExists = 'fail',
    onBytes,
    ...question
  } = options
  const { signal } = question
  // The file first: where nothing can be written no server is started.
  const { stream, file } = await openTarget(to, ifExists)
  const path = file?.path ?? 'the stream'
  try {
    return await withServer(question, async (calls, server) => {
      const { bytes, sha256 } = await exportInto(calls, { namespace, database }, stream, { path, signal, onBytes })
      await file?.finish()
      return { file: file?.path ?? null, namespace, database, bytes, sha256, server: named(server) }
    })
  } catch (error) {
    await file?.discard()
    throw error
  }
}

async function openTarget(
  to: string | Writable,
  ifExists: IfExists,
): Promise<{ readonly stream: Writable; readonly file?: NewFile }> {
  if (typeof to !== 'string') return { stream: to }
  const file = await NewFile.open(to, ifExists)
  return { stream: file.stream(), file }
}
