import { ProcrefError } from '@procref/core'
import type { LockHolder } from '../errors.ts'

interface Cause {
  readonly cause?: unknown
}

/** There is nothing to take over: what is there is no database, or none that can be moved as it is. */
export class NotADatabaseError extends ProcrefError {
  readonly folder: string
  /** `problem` completes "`folder` …"; `remedy` is a sentence. */
  constructor(folder: string, problem: string, remedy: string, options?: Cause) {
    super('PROCREF_NOT_A_DATABASE', `${folder} ${problem}. Nothing was changed. ${remedy}`, options)
    this.folder = folder
  }
}

/** The folder's own server runs, or something else has its database open. */
export class FolderInUseError extends ProcrefError {
  readonly folder: string
  readonly holders: readonly LockHolder[]
  constructor(folder: string, holders: readonly LockHolder[], options?: Cause) {
    const who =
      holders.length === 0
        ? 'a process that cannot be seen from here'
        : holders.map(({ pid, program }) => `process ${pid}${program === undefined ? '' : ` (${program})`}`).join(', ')
    super(
      'PROCREF_FOLDER_IN_USE',
      `The database in ${folder} is open: its lock is held by ${who}. Nothing was changed. End that server, then do it again.`,
      options,
    )
    this.folder = folder
    this.holders = holders
  }
}

/** The user and the password that were given are not those of the database's owner. */
export class FolderPasswordError extends ProcrefError {
  readonly folder: string
  readonly user: string
  /** `problem` completes "`user` …". */
  constructor(folder: string, user: string, problem: string, options?: Cause) {
    super(
      'PROCREF_FOLDER_PASSWORD',
      `The user ${user} ${problem} the database in ${folder}. Nothing was changed. Give the root user that its server was ` +
        'started with first (--user), and that password: later ones were never taken.',
      options,
    )
    this.folder = folder
    this.user = user
  }
}

/** The directory has a database of its own. */
export class DatabasePresentError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_DATABASE_PRESENT',
      `There is a database in ${path} already. Nothing was changed. Use another directory (--dir), or delete that one with \`procref reset\`.`,
    )
    this.path = path
  }
}

/** Nobody says which version wrote the data, so nobody knows whether this one may open them. */
export class DataVersionUnknownError extends ProcrefError {
  readonly folder: string
  constructor(folder: string, running: string) {
    super(
      'PROCREF_DATA_VERSION_UNKNOWN',
      `Which version of SurrealDB wrote the data in ${folder} is not told by SurrealDB ${running} (3.3 does). Nothing was changed. ` +
        'Say it: --from-version, with what `surreal version` says of the executable that has served them until now.',
    )
    this.folder = folder
  }
}

/** No working folder can be had where the database is, or it cannot be moved away from there. */
export class FolderPlaceError extends ProcrefError {
  readonly folder: string
  /** `problem` is a sentence without its full stop. */
  constructor(folder: string, problem: string, options?: Cause) {
    super(
      'PROCREF_FOLDER_PLACE',
      `${problem}. Nothing was changed. ${folder} has to be an ordinary folder, on a file system with hard links, in a folder that you may write.`,
      options,
    )
    this.folder = folder
  }
}

/** A take-over was ended when all but the old folder's removal was done, and since then something has written there. */
export class FolderChangedError extends ProcrefError {
  readonly folder: string
  constructor(folder: string, dir: string) {
    super(
      'PROCREF_FOLDER_CHANGED',
      `${folder} was taken over into ${dir}, but was written since, before it could be removed: both are as they are. To go on with what is in ${dir}, ` +
        `delete ${folder}. To go on with ${folder}, delete what is in ${dir} with \`procref reset\` and take it over again.`,
    )
    this.folder = folder
  }
}
