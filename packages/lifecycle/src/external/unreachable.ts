import { ExternalUnreachableError } from './errors.ts'

/** `last`: what the last attempt failed with, if there was one. */
export function unreachable(url: string, timeoutMs: number, last: unknown): ExternalUnreachableError {
  const reason = last === undefined ? 'none was made' : describe(last)
  return new ExternalUnreachableError({ url, timeoutMs, reason }, { cause: last })
}

/** An error of several attempts (one an address of the host) has its messages inside. */
export function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ')
  const { name, message } = error as Error
  if (name === 'TimeoutError') return 'no answer in time'
  return message === '' ? name : message
}
