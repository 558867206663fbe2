import { FileAccessError, isPassingTrouble, translateErrno } from '@procref/core'
import { CredentialsMissingError, StateFileUnsafeError } from '../errors.ts'

/**
 * The error that ends the attempts to connect to our own server, for the failure of one; `undefined`: the next may succeed. What the system
 * refuses this process (no descriptor is left) or the server (its disk is full) is told at once, as by every other step of `connect()`, and
 * so are credentials that cannot be used.
 */
export function finalFailure(error: unknown, url: string): unknown {
  const refused = whatTheSystemRefuses(error, url)
  if (refused instanceof FileAccessError) return refused
  return areCredentialsUnusable(error) ? error : undefined
}

/** What it says of a file (credentials.json is another user's) is said of that file. Of a socket most means that nobody is there yet. */
function whatTheSystemRefuses(error: unknown, url: string): unknown {
  const { path } = error as { readonly path?: unknown }
  if (typeof path === 'string') return translateErrno(error, 'use', path)
  return isPassingTrouble(error) ? translateErrno(error, 'connect to', url) : error
}

/** Is `credentials.json` gone or damaged, or could others have read or replaced it? Somebody has to mend that. */
export function areCredentialsUnusable(error: unknown): boolean {
  return error instanceof CredentialsMissingError || error instanceof StateFileUnsafeError
}

/** A server says a password is wrong so often, with a pause between, before it is believed: a trouble of its disk may be over in seconds. */
export const REFUSALS = 3
export const REFUSED_MS = 2_000

/**
 * Does the server say that the password is wrong? It also says so, in the same words, when it could not read its users: once is no proof.
 */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && error.message.includes('There was a problem with authentication')
}
