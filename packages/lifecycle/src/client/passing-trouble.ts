import { errnoOf, FileAccessError } from '@procref/core'

/** No descriptor, no memory or no lock is left, the disk did not do it. */
const PASSING: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOLCK', 'EIO'])

/** Did the system not get to it this time? Of the directory, and of who is there, that says nothing. */
export function isPassingTrouble(error: unknown): boolean {
  return PASSING.has(error instanceof FileAccessError ? error.errno : errnoOf(error))
}
