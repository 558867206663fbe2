import { ProcrefError } from '@procref/core'

interface Cause {
  readonly cause?: unknown
}

/** SurrealDB's engine cannot be loaded on this machine. */
export class EngineUnavailableError extends ProcrefError {
  static readonly code = 'PROCREF_ENGINE_UNAVAILABLE'
  /** `reason` completes "the embedded SurrealDB engine …". */
  constructor(reason: string, remedy: string, options?: Cause) {
    super(EngineUnavailableError.code, `The embedded SurrealDB engine ${reason}. ${remedy}`, options)
  }
}

/** The engine could not open the database. */
export class DatabaseOpenError extends ProcrefError {
  static readonly code = 'PROCREF_DATABASE_OPEN'
  readonly path: string
  constructor(path: string, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause)
    super(
      DatabaseOpenError.code,
      `The database in ${path} could not be opened: ${said}. ` +
        'If another process has it open, end that one; `procref logs` may show more.',
      { cause },
    )
    this.path = path
  }
}

/** The engine opens a database once in a process: what it had open is let go only by the end of the process. */
export class EngineSpentError extends ProcrefError {
  static readonly code = 'PROCREF_ENGINE_SPENT'
  constructor() {
    super(
      EngineSpentError.code,
      'The embedded SurrealDB engine has already been used in this process, and lets go of its files only when the ' +
        'process ends. Launch it in a new process.',
    )
  }
}
