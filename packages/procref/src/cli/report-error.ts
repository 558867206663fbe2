import { inspect } from 'node:util'
import { ProcrefError, translateErrno } from '@procref/core'
import { ToldToEnd } from '../until-told.ts'
import { exitCodeOf } from './exit-code.ts'
import { colorsFor, note, printJson } from './output.ts'

/** A failure in the form that `--json` prints; stable, fields are only added. */
export interface JsonFailure {
  readonly error: { readonly code: string; readonly message: string }
}

/**
 * Tells people on stderr what happened and what to do, and programs (`json`) the same as one JSON document on stdout,
 * which then holds exactly one document whether the command succeeded or not.
 * Returns the exit code.
 */
export function reportError(thrown: unknown, format: 'text' | 'json'): number {
  const error = withRemedy(thrown)
  if (format === 'json') printJson(toJson(error))
  note(`${colorsFor(2).red('procref:')} ${describe(error)}`)
  return exitCodeOf(error)
}

/** What the system says of a file is told as connect() tells it. */
function withRemedy(error: unknown): unknown {
  const path = (error as { readonly path?: unknown } | null | undefined)?.path
  return typeof path === 'string' ? translateErrno(error, 'use', path) : error
}

function toJson(error: unknown): JsonFailure {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return {
    error: { code: typeof code === 'string' ? code : 'PROCREF_UNEXPECTED', message: messageOf(error) },
  }
}

function describe(error: unknown): string {
  if (process.env.PROCREF_DEBUG === '1') return inspect(error)
  const lines = [messageOf(error)]
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause))
    lines.push(`  cause: ${messageOf(cause).trimEnd()}`)
  // The message of our own errors says what to do; of another's all that can be offered is more of it.
  if (!isOurs(error)) lines.push('  PROCREF_DEBUG=1 shows where this comes from.')
  return lines.join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}

function isOurs(error: unknown): boolean {
  return (
    error instanceof ProcrefError ||
    error instanceof ToldToEnd ||
    String((error as { readonly code?: unknown } | null)?.code).startsWith('PROCREF_')
  )
}
