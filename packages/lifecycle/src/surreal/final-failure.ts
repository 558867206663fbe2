import { FileAccessError, isPassingTrouble, translateErrno } from '@procref/core'
import { CredentialsMissingError, StateFileUnsafeError } from '../errors.ts'

/**
 * The error that ends the attempts to connect to our own server, for the failure of one; `undefined`: the next may succeed. What the system
 * refuses this process (no descriptor is left) or the server (its disk is full) is told at once, as by every other step of `connect()`, and
 * so are credentials that cannot be used.
 */
export function finalFailure(error: unknown, url: string): unknown {
  if (isPassingTrouble(error)) return translateErrno(error, 'connect to', url)
  const isOurs =
    error instanceof FileAccessError ||
    error instanceof CredentialsMissingError ||
    error instanceof StateFileUnsafeError
  return isOurs ? error : undefined
}

/**
 * Does the server say that the password is wrong? It also says so, in the same words, when it could not read its users: once is no proof.
 */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && error.message.includes('There was a problem with authentication')
}
