import { ProcrefError } from '@procref/core'

interface Cause {
  readonly cause?: unknown
}

/** Which database. */
export interface DatabaseName {
  readonly namespace: string
  readonly database: string
}

/** `main/main`, for people. */
export function nameOf({ namespace, database }: DatabaseName): string {
  return `${namespace}/${database}`
}

/** Something is where the file or folder should be written. */
export class TargetExistsError extends ProcrefError {
  static readonly code = 'PROCREF_TARGET_EXISTS'
  readonly path: string
  constructor(path: string, problem: string, remedy: string) {
    super(TargetExistsError.code, `${path} ${problem}; nothing was written. ${remedy}`)
    this.path = path
  }
}

/** A database that is to be read is not there. */
export class DatabaseNotFoundError extends ProcrefError {
  static readonly code = 'PROCREF_DATABASE_NOT_FOUND'
  readonly database: DatabaseName
  constructor(database: DatabaseName) {
    super(
      DatabaseNotFoundError.code,
      `There is no database ${nameOf(database)}. \`procref sql --query 'INFO FOR ROOT'\` lists the namespaces, 'INFO FOR NS' the databases of one.`,
    )
    this.database = database
  }
}

/** The server takes names only in a header of HTTP, which cannot have every name in it. */
export class DatabaseNameError extends ProcrefError {
  static readonly code = 'PROCREF_DATABASE_NAME'
  /** Of a namespace or a database. */
  readonly refused: string
  constructor(refused: string) {
    super(
      DatabaseNameError.code,
      `The name ${JSON.stringify(refused)} cannot be sent to the server: for exports and imports it takes the names of namespace and database ` +
        'in headers of HTTP, only in letters, digits and signs of ASCII. Copy the data into a database with such a name first.',
    )
    this.refused = refused
  }
}

/** The server refused, or its answer was not the whole database. */
export class ExportFailedError extends ProcrefError {
  static readonly code = 'PROCREF_EXPORT_FAILED'
  readonly database: DatabaseName
  constructor(database: DatabaseName, reason: string, options?: Cause) {
    super(
      ExportFailedError.code,
      `The export of ${nameOf(database)} failed: ${reason}. What came of it is no complete copy. Try again; \`procref why\` and \`procref logs\` tell what happened to the server.`,
      options,
    )
    this.database = database
  }
}

/** How far an import came, for people and programs. */
export interface ImportFacts extends DatabaseName {
  /** What was read: a path, or `standard input`. */
  readonly source: string
  /** The server's words for each statement that failed; of very many only the first. */
  readonly failures: readonly string[]
}

/** Some of what was to be imported was not carried out. An import is no transaction: the rest was. */
export class ImportFailedError extends ProcrefError {
  static readonly code = 'PROCREF_IMPORT_FAILED'
  readonly database: DatabaseName
  readonly failures: readonly string[]
  constructor(facts: ImportFacts, what: string, options?: Cause) {
    super(ImportFailedError.code, `The import of ${facts.source} into ${nameOf(facts)} failed: ${what}`, options)
    this.database = { namespace: facts.namespace, database: facts.database }
    this.failures = facts.failures
  }
}

/** What is to be imported is a folder. Nothing was started for it. */
export class FolderImportError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_NOT_A_FILE',
      `${path} is a folder; nothing was imported. Give the file that \`procref export\` wrote; a folder of \`procref backup\` is for \`procref restore\`.`,
    )
    this.path = path
  }
}

/** A statement that procref itself asked for failed. */
export class StatementFailedError extends ProcrefError {
  static readonly code = 'PROCREF_STATEMENT_FAILED'
  readonly statement: string
  constructor(statement: string, reason: string) {
    super(StatementFailedError.code, `The server refused ${JSON.stringify(statement)}: ${reason}`)
    this.statement = statement
  }
}

/** A folder is no backup, or not as it was written. Nothing was changed. */
export class BackupUnusableError extends ProcrefError {
  static readonly code = 'PROCREF_BACKUP_UNUSABLE'
  readonly path: string
  readonly problems: readonly string[]
  constructor(path: string, problems: readonly string[]) {
    super(
      BackupUnusableError.code,
      `The backup ${path} cannot be used: ${problems.join('; ')}. Nothing was changed. Use another copy of it.`,
    )
    this.path = path
    this.problems = problems
  }
}

/** Written by a newer procref, in a form that this one does not know. */
export class NewerBackupError extends ProcrefError {
  static readonly code = 'PROCREF_NEWER_BACKUP'
  readonly path: string
  readonly format: number
  constructor(path: string, format: number, known: number) {
    super(
      NewerBackupError.code,
      `The backup ${path} has the format ${format}; this procref reads formats up to ${known}. Nothing was changed. Use the procref that wrote it, or a newer one.`,
    )
    this.path = path
    this.format = format
  }
}

/** A backup would be mixed with what is there. */
export class RestoreTargetNotEmptyError extends ProcrefError {
  static readonly code = 'PROCREF_RESTORE_TARGET_NOT_EMPTY'
  readonly databases: readonly DatabaseName[]
  constructor(databases: readonly DatabaseName[]) {
    super(
      RestoreTargetNotEmptyError.code,
      `There is something in ${databases.map(nameOf).join(', ')} already; nothing was changed. ` +
        '`--force` removes all that is in the databases that the backup has, and then restores them; other databases stay as they are. ' +
        'Or restore into another directory: `--dir`.',
    )
    this.databases = databases
  }
}

/** A restore ended before its end: some databases are as in the backup, one may be there in part. */
export class RestoreIncompleteError extends ProcrefError {
  static readonly code = 'PROCREF_RESTORE_INCOMPLETE'
  readonly done: readonly DatabaseName[]
  readonly failed: DatabaseName
  readonly notBegun: readonly DatabaseName[]
  constructor(
    facts: {
      readonly path: string
      readonly done: readonly DatabaseName[]
      readonly failed: DatabaseName
      readonly notBegun: readonly DatabaseName[]
    },
    cause: unknown,
  ) {
    const { path, done, failed, notBegun } = facts
    const list = (databases: readonly DatabaseName[]): string => databases.map(nameOf).join(', ') || 'none'
    super(
      RestoreIncompleteError.code,
      `The restore of ${path} ended early. Restored: ${list(done)}. There only in part, or not at all: ${nameOf(failed)}. ` +
        `Not begun: ${list(notBegun)}. The backup is unharmed: once the cause is mended, \`procref restore ${path} --force\` ` +
        'begins anew, and replaces what this one left.',
      { cause },
    )
    this.done = done
    this.failed = failed
    this.notBegun = notBegun
  }
}
