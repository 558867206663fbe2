import { DatabaseLockedError, saysDatabaseLocked, systemTrouble } from '@procref/lifecycle'
import { DatabaseOpenError } from './errors.ts'

/** What it means that the engine could not open the database in `path`, as far as its words tell. */
export function openError(path: string, cause: unknown): Error {
  const said = String(cause)
  if (saysDatabaseLocked(said)) return new DatabaseLockedError(path, { cause })
  return systemTrouble(said, path) ?? new DatabaseOpenError(path, cause)
}
