import { errnoOf, FileAccessError } from './errno.ts'

/** No descriptor, no memory or no lock is left, the disk did not do it. */
const PASSING: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOLCK', 'EIO'])

/** Did the system not get to it this time? Of the directory, of who is there, and of what can be used, that says nothing. */
export function isPassingTrouble(error: unknown): boolean {
  return PASSING.has(error instanceof FileAccessError ? error.errno : errnoOf(error))
}
