import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { translateErrno } from '@procref/core'
import { DumpCheck } from './dump-check.ts'
import { type DatabaseName, DatabaseNotFoundError, ExportFailedError } from './errors.ts'
import { failureIn, type Information, readBeginning, type ServerCalls } from './server-calls.ts'

/** What an export was. */
export interface ExportedBytes {
  readonly bytes: number
  readonly sha256: string
  /** What was defined in the database when the export began. */
  readonly information: Information
}

export interface ExportStreamOptions {
  /** Where `target` leads to, for people. */
  readonly path: string
  readonly signal: AbortSignal | undefined
  readonly onBytes: ((bytes: number) => void) | undefined
}

/**
 * Writes what the server's `/export` gives of a database into `target`, which it ends.
 *
 * Guarantee: resolves only when the answer was whole: ended as HTTP says, and with every table in it that was there before and after.
 * Unspecified: what `target` has got when it rejects.
 * Errors: `DatabaseNotFoundError`, `DatabaseNameError`, `ExportFailedError`, and `FileAccessError` or what else `target` says.
 */
export async function exportInto(
  calls: ServerCalls,
  database: DatabaseName,
  target: Writable,
  { path, signal, onBytes }: ExportStreamOptions,
): Promise<ExportedBytes> {
  const information = await calls.databaseInformation(database)
  if (information === undefined) throw new DatabaseNotFoundError(database)
  const answer = await calls.export(database)
  if (answer.statusCode !== 200) {
    throw new ExportFailedError(database, `the server answered ${failureIn(answer, await readBeginning(answer))}`)
  }
  const check = new DumpCheck(onBytes)
  // Whichever breaks takes the other with it, and with its own error.
  let broken: 'answer' | 'target' | undefined
  answer.once('error', () => {
    broken ??= 'answer'
  })
  target.once('error', () => {
    broken ??= 'target'
  })
  try {
    await pipeline(answer, check, target)
  } catch (error) {
    signal?.throwIfAborted()
    if (broken === 'target') throw translateErrno(error, 'write', path)
    throw new ExportFailedError(database, 'the connection to the server broke', { cause: error })
  }
  const after = await calls.databaseInformation(database)
  const tables = Object.keys(information.tables ?? {}).filter((table) => Object.hasOwn(after?.tables ?? {}, table))
  const problem = check.problemWith(tables)
  if (problem !== undefined) throw new ExportFailedError(database, problem)
  return { bytes: check.bytes, sha256: check.sha256, information }
}
