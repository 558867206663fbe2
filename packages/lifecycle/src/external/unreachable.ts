import { describeFailure } from '../surreal/describe-failure.ts'
import { ExternalUnreachableError } from './errors.ts'

/** `last`: what the last attempt failed with, if there was one. */
export function unreachable(url: string, timeoutMs: number, last: unknown): ExternalUnreachableError {
  const reason = last === undefined ? 'none was made' : describeFailure(last)
  return new ExternalUnreachableError({ url, timeoutMs, reason }, { cause: last })
}
