import { ProcrefError } from '@procref/core'
import type { ServerEnd } from '../driver.ts'

/** The program that should be the server is not there. */
export class ExecutableNotFoundError extends ProcrefError {
  constructor(what: string, looked: readonly string[], remedy: string) {
    super('PROCREF_EXECUTABLE_NOT_FOUND', `No ${what} was found. Looked at: ${looked.join(', ')}. ${remedy}`)
  }
}

/** The server ended before it was ready. */
export class ServerExitedError extends ProcrefError {
  readonly end: { readonly code: number | null; readonly signal: string | null }
  constructor(end: ServerEnd, waitedFor: string) {
    const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`
    super(
      'PROCREF_SERVER_EXITED',
      `The server ended (${how}) while it was awaited for ${waitedFor}. \`procref logs\` shows what it said.`,
      { cause: end.error },
    )
    this.end = { code: end.code, signal: end.signal }
  }
}

/** The server runs but did not become ready in time. */
export class ServerNotReadyError extends ProcrefError {
  constructor(waitedFor: string, cause: unknown) {
    super(
      'PROCREF_SERVER_NOT_READY',
      `The server is not ready: waited for ${waitedFor}. \`procref logs\` shows what it says.`,
      {
        cause,
      },
    )
  }
}
