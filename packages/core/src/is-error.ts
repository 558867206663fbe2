import { types } from 'node:util'

/**
 * Is it an error, whoever's? Where a program runs in a context of its own, as under Jest, Node's errors are no instances of the
 * program's `Error`.
 */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}
