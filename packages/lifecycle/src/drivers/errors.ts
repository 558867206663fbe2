import { ProcrefError } from '@procref/core'
import type { ServerEnd } from '../driver.ts'

interface Cause {
  readonly cause?: unknown
}

/** The program that should be the server is not there. */
export class ExecutableNotFoundError extends ProcrefError {
  readonly looked: readonly string[]
  constructor(what: string, looked: readonly string[], remedy: string) {
    super('PROCREF_EXECUTABLE_NOT_FOUND', `No ${what} was found. Looked at: ${looked.join(', ')}. ${remedy}`)
    this.looked = looked
  }
}

/** The program that should be the server is there, but not even its version can be had from it. */
export class ExecutableFailedError extends ProcrefError {
  readonly file: string
  constructor(file: string, what: string, options?: Cause) {
    super(
      'PROCREF_EXECUTABLE_FAILED',
      `\`${file} version\` ${what}. Run it by hand; if it fails there, install it again, or name another one (PROCREF_SURREAL_BIN).`,
      options,
    )
    this.file = file
  }
}

/** The system refused a new process, or did not get to it. Without a `cause`, which of its limits was met Node tells only later. */
export class ServerSpawnError extends ProcrefError {
  readonly file: string
  constructor(file: string, options?: { readonly cause: NodeJS.ErrnoException }) {
    const { code = 'EAGAIN, EMFILE or ENFILE' } = options?.cause ?? {}
    super(
      'PROCREF_SERVER_SPAWN',
      `${file} could not be started: ${whatKeptIt(code)} (${code}). End some programs, or raise the limits (\`ulimit -u\`, \`ulimit -n\`).`,
      options,
    )
    this.file = file
  }
}

function whatKeptIt(code: string): string {
  if (code === 'ETIMEDOUT') return 'the machine is too busy for it'
  if (code.startsWith('SIG')) return 'it was killed, as the kernel does when memory runs out'
  return 'no process or no descriptor is left for it'
}

/** The server ended before it was ready, for no reason that is known better. */
export class ServerExitedError extends ProcrefError {
  readonly end: { readonly code: number | null; readonly signal: string | null }
  constructor(end: ServerEnd, waitedFor: string) {
    const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}${metBy(end.signal)}`
    super(
      'PROCREF_SERVER_EXITED',
      `The server ended (${how}) before it was ready; it was waited for ${waitedFor}. \`procref logs\` shows what it said.`,
      { cause: end.error },
    )
    this.end = { code: end.code, signal: end.signal }
  }
}

/** The limits are those of the program whose connect() has started the guardian. */
function metBy(signal: string): string {
  if (signal === 'SIGXFSZ')
    return ', by which the system ends who exceeds the limit on the size of files: raise it, `ulimit -f`'
  if (signal === 'SIGXCPU')
    return ', by which the system ends who exceeds the limit on processor time: raise it, `ulimit -t`'
  return ''
}

/** The server runs but did not become ready while it was waited for. */
export class ServerNotReadyError extends ProcrefError {
  readonly waitedFor: string
  constructor(waitedFor: string, options?: Cause) {
    super(
      'PROCREF_SERVER_NOT_READY',
      `The server is not ready: waited for ${waitedFor}. \`procref logs\` shows what it says.`,
      options,
    )
    this.waitedFor = waitedFor
  }
}

/** Another process has the database open, one that does not know of `server.lock`. */
export class DatabaseLockedError extends ProcrefError {
  readonly path: string
  constructor(path: string, options?: Cause) {
    super(
      'PROCREF_DATABASE_LOCKED',
      `The database in ${path} is in use by another process, which procref did not start. End that one, or use another directory.`,
      options,
    )
    this.path = path
  }
}

/** The files of the database contradict each other, or some of them are missing. */
export class DatabaseDamagedError extends ProcrefError {
  readonly path: string
  /** `found` is what is wrong, in words that follow a colon. */
  constructor(path: string, found: string, options?: Cause) {
    super(
      'PROCREF_DATABASE_DAMAGED',
      `The database in ${path} cannot be read: ${found}. Move it away, as a whole, and keep it: then restore a backup in ` +
        'its place, or begin an empty one. Trying again does not mend it, and may remove more of it.',
      options,
    )
    this.path = path
  }
}

/** SurrealDB would open another folder than this one. */
export class DatabasePathError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_DATABASE_PATH',
      `SurrealDB cannot open ${path}: it takes what stands behind the "?" for options. Use a directory without one in its path.`,
    )
    this.path = path
  }
}

/** The server refuses what it was given on its command line. */
export class ServerArgumentsError extends ProcrefError {
  readonly file: string
  readonly args: readonly string[]
  constructor(facts: { readonly file: string; readonly args: readonly string[]; readonly said: string }) {
    super(
      'PROCREF_SERVER_ARGUMENTS',
      `${facts.file} does not take ${facts.args.join(' ')}: ${facts.said}. Correct the options of surrealBinary(); ` +
        `\`${facts.file} start --help\` lists what this version and build know.`,
    )
    this.file = facts.file
    this.args = facts.args
  }
}

/** The server is of a version that cannot do what it has to. */
export class ServerTooOldError extends ProcrefError {
  readonly file: string
  readonly version: string
  /** `what` is what wants the version `needed`. */
  constructor(facts: {
    readonly file: string
    readonly version: string
    readonly needed: string
    readonly what: string
  }) {
    super(
      'PROCREF_SERVER_TOO_OLD',
      `${facts.file} is SurrealDB ${facts.version}; ${facts.what} wants ${facts.needed} or newer. Install a newer one, or ` +
        'name it by the option `path` or PROCREF_SURREAL_BIN.',
    )
    this.file = facts.file
    this.version = facts.version
  }
}

/** The database has an administrator with another password: the server takes ours only when it makes the first one. */
export class CredentialsRefusedError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_CREDENTIALS_REFUSED',
      `The database in ${path} does not accept the password beside it: it was made with another one. Put back the ` +
        'credentials.json that belongs to it, or move the database away to begin an empty one.',
    )
    this.path = path
  }
}
