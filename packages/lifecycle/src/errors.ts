import { errnoOf, type Json, ProcrefError } from '@procref/core'
import type { EngineIdentity } from './driver.ts'
import { NEWEST_PROTOCOL, OLDEST_PROTOCOL, RESTART_PROTOCOL } from './state/protocols.ts'
import { VERSION } from './version.ts'

/** A guardian's way to say it: it arrives in a client as what it was. */
export { ProcessIdentityUnavailableError } from '@procref/core'

interface Cause {
  readonly cause?: unknown
}

/** One setting in which the running server differs from what was asked for. */
export interface ConfigDifference {
  readonly setting: string
  /** `null`: not set. */
  readonly running: Json
  readonly asked: Json
}

/** The server already runs, with settings other than those this call explicitly asks for. */
export class ConfigMismatchError extends ProcrefError {
  static readonly code = 'PROCREF_CONFIG_MISMATCH'
  readonly dir: string
  readonly differences: readonly ConfigDifference[]
  constructor(facts: { readonly dir: string; readonly differences: readonly ConfigDifference[] }) {
    const list = facts.differences
      .map((d) => `${d.setting} is ${JSON.stringify(d.running)}, asked for was ${JSON.stringify(d.asked)}`)
      .join('; ')
    super(
      ConfigMismatchError.code,
      `The server of ${facts.dir} runs with other settings: ${list}. ` +
        'Leave these settings out to share the server as it runs, use another directory, or ask again once it has stopped.',
    )
    this.dir = facts.dir
    this.differences = facts.differences
  }
}

/** The guardian looks at the slots with a backend that does not see ours: it would stop the server under us. */
export class GuardianBlindError extends ProcrefError {
  static readonly code = 'PROCREF_GUARDIAN_BLIND'
  readonly dir: string
  readonly pid: number
  readonly backend: string
  constructor(facts: { readonly dir: string; readonly pid: number; readonly backend: string; readonly ours: string }) {
    const { dir, pid, backend, ours } = facts
    super(
      GuardianBlindError.code,
      `The guardian of ${dir} (pid ${pid}) was launched with the backend ${backend}, before the migration, and does not see who holds a slot of ` +
        `${ours}. While no program without the migration runs any more, end it with \`kill ${pid}\`: the server stops in order, and the ` +
        'programs that use it start the next guardian, which sees everybody. Or come back when the server has stopped.',
    )
    this.dir = dir
    this.pid = pid
    this.backend = backend
  }
}

/** connect() reached its deadline. */
export class ConnectTimeoutError extends ProcrefError {
  static readonly code = 'PROCREF_CONNECT_TIMEOUT'
  readonly dir: string
  readonly timeoutMs: number
  /** What everybody waits for, in words that complete "waiting for …". */
  readonly waitedFor: string
  readonly logTail: readonly string[]
  constructor(
    facts: {
      readonly dir: string
      readonly timeoutMs: number
      readonly waitedFor: string
      readonly logTail: readonly string[]
    },
    options?: Cause,
  ) {
    super(
      ConnectTimeoutError.code,
      `No connection to the server of ${facts.dir} within ${facts.timeoutMs} ms, waiting for ${facts.waitedFor}. ` +
        `\`procref why\` tells what happened; \`timeoutMs\` (\`--timeout\`) allows more time.${withLogTail(facts.logTail)}`,
      options,
    )
    this.dir = facts.dir
    this.timeoutMs = facts.timeoutMs
    this.waitedFor = facts.waitedFor
    this.logTail = facts.logTail
  }
}

/** The server could not be started, or the guardian gave it up. */
export class ServerFailedError extends ProcrefError {
  static readonly code = 'PROCREF_SERVER_FAILED'
  readonly dir: string
  readonly reason: string
  readonly logTail: readonly string[]
  constructor(
    facts: { readonly dir: string; readonly reason: string; readonly logTail: readonly string[] },
    options?: Cause,
  ) {
    super(
      ServerFailedError.code,
      `The server of ${facts.dir} failed: ${facts.reason}. The next connect() tries again.${withLogTail(facts.logTail)}`,
      options,
    )
    this.dir = facts.dir
    this.reason = facts.reason
    this.logTail = facts.logTail
  }
}

/** The server was started too often without a clean stop; it is not started again for those who waited for it. */
export class ServerCrashLoopError extends ProcrefError {
  static readonly code = 'PROCREF_CRASH_LOOP'
  readonly dir: string
  readonly starts: number
  readonly withinMs: number
  readonly logTail: readonly string[]
  /** `cause`: why the last of the starts failed, where the guardian that gives up has seen it. */
  constructor(
    facts: {
      readonly dir: string
      readonly starts: number
      readonly withinMs: number
      readonly logTail: readonly string[]
    },
    options?: Cause,
  ) {
    const cause = options?.cause
    const last = cause instanceof Error ? ` The last time: ${cause.message}` : ''
    super(
      ServerCrashLoopError.code,
      `The server of ${facts.dir} was started ${facts.starts} times within ${facts.withinMs} ms and never stopped ` +
        `cleanly.${last} Repair what its log names, then connect again: that is refused until the first of these starts is ` +
        `more than ${facts.withinMs} ms ago.${withLogTail(facts.logTail)}`,
      options,
    )
    this.dir = facts.dir
    this.starts = facts.starts
    this.withinMs = facts.withinMs
    this.logTail = facts.logTail
  }
}

/** A file was written by a procref whose protocol this one does not know. */
export class NewerProtocolError extends ProcrefError {
  static readonly code = 'PROCREF_NEWER_PROTOCOL'
  readonly path: string
  readonly found: number
  readonly supported: number
  constructor(facts: {
    readonly path: string
    readonly found: number
    readonly supported: number
    /** The version that wrote it, if it says so. */
    readonly writtenBy?: string
  }) {
    const writer = facts.writtenBy === undefined ? 'a newer procref' : `procref ${facts.writtenBy}`
    super(
      NewerProtocolError.code,
      `${facts.path} was written by ${writer} with protocol ${facts.found}; this procref (${VERSION}) knows protocols up to ` +
        `${facts.supported}. Upgrade this program's procref, or use another directory.`,
    )
    this.path = facts.path
    this.found = facts.found
    this.supported = facts.supported
  }
}

/** The guardian that runs is of a procref that speaks only protocols older than what is needed. */
export class OlderProtocolError extends ProcrefError {
  static readonly code = 'PROCREF_OLDER_PROTOCOL'
  readonly dir: string
  readonly guardianPid: number
  /** The newest that the guardian speaks. */
  readonly found: number
  readonly needed: number
  /** The guardian's version of procref. */
  readonly version: string
  constructor(facts: {
    readonly dir: string
    readonly guardianPid: number
    readonly found: number
    readonly needed: number
    readonly version: string
  }) {
    const { dir, guardianPid, found, needed, version } = facts
    const spoken = `${OLDEST_PROTOCOL} to ${NEWEST_PROTOCOL}`
    super(
      OlderProtocolError.code,
      `The guardian of ${dir} (pid ${guardianPid}) is of procref ${version} and knows protocols up to ${found}; this procref ` +
        `(${VERSION}, protocols ${spoken}) needs ${needed} for that. ${
          found >= RESTART_PROTOCOL
            ? 'Upgrade the programs that use it, or end them, then replace it with `procref restart` of this version; programs ' +
              'that are still as old as it then lose their lease (PROCREF_NEWER_PROTOCOL).'
            : 'End all programs that use it, or stop it with `procref stop --force`; who connects next starts a guardian of its own version.'
        }`,
    )
    this.dir = dir
    this.guardianPid = guardianPid
    this.found = found
    this.needed = needed
    this.version = version
  }
}

/** Somebody stopped the server by force (`procref stop --force`); it does not come back by itself. */
export class StoppedOnRequestError extends ProcrefError {
  static readonly code = 'PROCREF_STOPPED_ON_REQUEST'
  readonly dir: string
  readonly epoch: number
  constructor(facts: { readonly dir: string; readonly epoch: number }) {
    super(
      StoppedOnRequestError.code,
      `The server of ${facts.dir} (epoch ${facts.epoch}) was stopped by force on request. ` +
        'Call connect() to start it again; `procref why` tells who asked.',
    )
    this.dir = facts.dir
    this.epoch = facts.epoch
  }
}

/** A lease could not be kept: nothing comes back on it. */
export class LeaseLostError extends ProcrefError {
  static readonly code = 'PROCREF_LEASE_LOST'
  readonly dir: string
  readonly reason: string
  constructor(facts: { readonly dir: string; readonly reason: string }, options?: Cause) {
    super(
      LeaseLostError.code,
      `The lease on the server of ${facts.dir} is lost: ${facts.reason}. Call connect() for a new one.`,
      options,
    )
    this.dir = facts.dir
    this.reason = facts.reason
  }
}

/** No guardian could be launched. */
export class GuardianLaunchError extends ProcrefError {
  static readonly code = 'PROCREF_GUARDIAN_LAUNCH'
  readonly reason: string
  /** `remedy` is a sentence of its own. */
  constructor(facts: { readonly reason: string; readonly remedy: string }, options?: Cause) {
    super(GuardianLaunchError.code, `The guardian could not be launched: ${facts.reason}. ${facts.remedy}`, options)
    this.reason = facts.reason
  }
}

/** The process that keeps the server up on purpose could not be launched. */
export class KeeperLaunchError extends ProcrefError {
  static readonly code = 'PROCREF_KEEPER_LAUNCH'
  readonly reason: string
  /** `remedy` is a sentence of its own. */
  constructor(facts: { readonly reason: string; readonly remedy: string }, options?: Cause) {
    super(KeeperLaunchError.code, `The keeper could not be launched: ${facts.reason}. ${facts.remedy}`, options)
    this.reason = facts.reason
  }
}

/** The process that keeps the server up is there, but cannot be recognised or does not end. */
export class KeeperUnreachableError extends ProcrefError {
  static readonly code = 'PROCREF_KEEPER_UNREACHABLE'
  readonly path: string
  readonly pid: number | undefined
  /** `reason` completes "which …". */
  constructor(facts: { readonly path: string; readonly pid: number | undefined; readonly reason: string }) {
    super(
      KeeperUnreachableError.code,
      `${facts.path} is held by ${facts.pid === undefined ? 'a process' : `process ${facts.pid}`}, which ${facts.reason}. ` +
        'End it where it was started, then ask again.',
    )
    this.path = facts.path
    this.pid = facts.pid
  }
}

/** The guardian was asked to stop the server and has not done it in time. */
export class StopTimeoutError extends ProcrefError {
  static readonly code = 'PROCREF_STOP_TIMEOUT'
  readonly dir: string
  readonly guardianPid: number
  readonly state: string
  readonly timeoutMs: number
  constructor(facts: {
    readonly dir: string
    readonly guardianPid: number
    readonly state: string
    readonly timeoutMs: number
    /** Why the guardian does nothing at the moment, in words that complete "it …". */
    readonly standstill?: string
  }) {
    const stands = facts.standstill === undefined ? '' : ` The guardian ${facts.standstill}.`
    super(
      StopTimeoutError.code,
      `The server of ${facts.dir} has not stopped within ${facts.timeoutMs} ms: its guardian (pid ${facts.guardianPid}) ` +
        `says that it is ${facts.state}.${stands} It keeps the request; \`procref why\` tells what it has done.`,
    )
    this.dir = facts.dir
    this.guardianPid = facts.guardianPid
    this.state = facts.state
    this.timeoutMs = facts.timeoutMs
  }
}

/** The guardian was asked to make way for another one and has not done it in time. */
export class RestartTimeoutError extends ProcrefError {
  static readonly code = 'PROCREF_RESTART_TIMEOUT'
  readonly dir: string
  readonly guardianPid: number
  readonly state: string
  readonly waitedMs: number
  /** True: it will not act on the request any more, and nothing has changed. */
  readonly withdrawn: boolean
  constructor(facts: {
    readonly dir: string
    readonly guardianPid: number
    readonly state: string
    readonly waitedMs: number
    readonly withdrawn: boolean
    /** Why the guardian does nothing at the moment, in words that complete "it …". */
    readonly standstill?: string
  }) {
    const { dir, guardianPid, state, waitedMs, withdrawn, standstill } = facts
    super(
      RestartTimeoutError.code,
      `The guardian of ${dir} (pid ${guardianPid}) has not made way within ${waitedMs} ms: it says that it is ${state}.${
        standstill === undefined ? '' : ` It ${standstill}.`
      } ${
        withdrawn
          ? 'The request was withdrawn, and nothing has changed. Try again once it goes on'
          : 'It has the request, and goes on with it as soon as it can'
      }; \`kill -KILL ${guardianPid}\` ends it, and whoever uses the server then starts the next guardian.`,
    )
    this.dir = dir
    this.guardianPid = guardianPid
    this.state = state
    this.waitedMs = waitedMs
    this.withdrawn = withdrawn
  }
}

/** connect() was called inside a guardian: the guardian's command starts the program that launched it. */
export class InsideGuardianError extends ProcrefError {
  static readonly code = 'PROCREF_INSIDE_GUARDIAN'
  constructor() {
    super(
      InsideGuardianError.code,
      'connect() was called in a process that was launched to be the guardian (PROCREF_GUARDIAN is set), so the ' +
        "launch started the program itself instead of Node. Set `guardianCommand` to something that runs Node, or don't " +
        'pass PROCREF_GUARDIAN on.',
    )
  }
}

/** The password of the server is gone although its database is there. */
export class CredentialsMissingError extends ProcrefError {
  static readonly code = 'PROCREF_CREDENTIALS_MISSING'
  readonly path: string
  readonly database: string
  /** `found` completes "`path` …". */
  constructor(facts: { readonly path: string; readonly database: string; readonly found: string }) {
    super(
      CredentialsMissingError.code,
      `${facts.path} ${facts.found}, and the database in ${facts.database} accepts only the password that was in it, ` +
        'so no new one is made. Restore the file from a backup (mode 0600), or move the database away to begin an empty one.',
    )
    this.path = facts.path
    this.database = facts.database
  }
}

/** The data belong to another engine or another storage. */
export class DataEngineMismatchError extends ProcrefError {
  static readonly code = 'PROCREF_DATA_ENGINE_MISMATCH'
  readonly path: string
  readonly recorded: EngineIdentity
  readonly asked: EngineIdentity
  constructor(facts: { readonly path: string; readonly recorded: EngineIdentity; readonly asked: EngineIdentity }) {
    super(
      DataEngineMismatchError.code,
      `The data beside ${facts.path} were written by ${describeEngine(facts.recorded)}; ${describeEngine(facts.asked)} ` +
        'cannot open them. Ask for what wrote them, or use another directory.',
    )
    this.path = facts.path
    this.recorded = facts.recorded
    this.asked = facts.asked
  }
}

/** The data were last written by a newer version: opening them with an older one is untested and may damage them. */
export class NewerDataError extends ProcrefError {
  static readonly code = 'PROCREF_NEWER_DATA'
  readonly path: string
  readonly recorded: EngineIdentity
  readonly asked: EngineIdentity
  constructor(
    facts: { readonly path: string; readonly recorded: EngineIdentity; readonly asked: EngineIdentity },
    options?: Cause,
  ) {
    super(
      NewerDataError.code,
      `The data beside ${facts.path} were last written by ${describeEngine(facts.recorded)}, which is newer than ` +
        `${describeEngine(facts.asked)}. Use that version or a later one.`,
      options,
    )
    this.path = facts.path
    this.recorded = facts.recorded
    this.asked = facts.asked
  }
}

/** The data were last written by an older version, which could not open them any more once this one has: somebody has to say so. */
export class UpgradeNeededError extends ProcrefError {
  static readonly code = 'PROCREF_UPGRADE_NEEDED'
  readonly path: string
  readonly recorded: EngineIdentity
  readonly asked: EngineIdentity
  /** `remedy` is a sentence: how to say it, where that is not as usual. */
  constructor(facts: {
    readonly path: string
    readonly recorded: EngineIdentity
    readonly asked: EngineIdentity
    readonly remedy?: string
  }) {
    const { path, recorded, asked, remedy = UPGRADE_REMEDY } = facts
    super(
      UpgradeNeededError.code,
      `The data beside ${path} were last written by ${describeEngine(recorded)}. ${describeEngine(asked)} would change them for ` +
        `good: the older one could not use them any more. Nothing was changed. ${remedy}`,
    )
    this.path = path
    this.recorded = recorded
    this.asked = asked
  }
}

const UPGRADE_REMEDY =
  "`procref upgrade` does it and keeps a copy of the data as they are; `--upgrade`, and connect({ whenOlder: 'upgrade' }), do it without. " +
  'Or go on with what wrote them.'

/** The database was written by a major version whose data this server does not read. */
export class OlderDataError extends ProcrefError {
  static readonly code = 'PROCREF_OLDER_DATA'
  readonly path: string
  /** Major versions. */
  constructor(facts: { readonly path: string; readonly written: number; readonly running: number }, options?: Cause) {
    const { path, written, running } = facts
    super(
      OlderDataError.code,
      `The data of ${path} were written by SurrealDB ${written}, which SurrealDB ${running} does not read. Export them with a ` +
        `SurrealDB ${written} (\`surreal export\`), move them away, and import the export into an empty database.`,
      options,
    )
    this.path = path
  }
}

/** `engine.json` cannot be understood, so nobody knows what may open the data. */
export class EngineRecordDamagedError extends ProcrefError {
  static readonly code = 'PROCREF_ENGINE_RECORD_DAMAGED'
  readonly path: string
  /** `found` completes "`path` …". */
  constructor(facts: { readonly path: string; readonly found: string }) {
    super(
      EngineRecordDamagedError.code,
      `${facts.path} ${facts.found}, so it is unknown which engine wrote the data beside it. ` +
        'Restore it from a backup, or remove it if you know that what you start now can open these data.',
    )
    this.path = facts.path
  }
}

/** A process that has a file open, as far as it can be seen. */
export interface LockHolder {
  readonly pid: number
  readonly program?: string
}

/** The lock of the data directory is held by a process that is not a server of ours. */
export class ServerLockHeldError extends ProcrefError {
  static readonly code = 'PROCREF_SERVER_LOCK_HELD'
  readonly path: string
  readonly holders: readonly LockHolder[]
  /** `reason` says who the holder is, or why it cannot be ended. */
  constructor(facts: { readonly path: string; readonly holders: readonly LockHolder[]; readonly reason: string }) {
    const holders =
      facts.holders.length === 0
        ? 'a process that cannot be seen from here'
        : facts.holders.map((h) => `process ${h.pid}${h.program === undefined ? '' : ` (${h.program})`}`).join(', ')
    super(
      ServerLockHeldError.code,
      `${facts.path} is held by ${holders}: ${facts.reason}. It is left alone. ` +
        'End it yourself if it should not be there, then connect again.',
    )
    this.path = facts.path
    this.holders = facts.holders
  }
}

/** The server belongs to another container (pid or network namespace), where this process can neither see nor stop it. */
export class ForeignNamespaceError extends ProcrefError {
  static readonly code = 'PROCREF_FOREIGN_NAMESPACE'
  readonly dir: string
  readonly pid: number
  constructor(facts: { readonly dir: string; readonly pid: number }) {
    super(
      ForeignNamespaceError.code,
      `The server of ${facts.dir} (process ${facts.pid} there) runs in another container: its pid or network namespace ` +
        'is not ours. Connect from that container, or give each container its own directory.',
    )
    this.dir = facts.dir
    this.pid = facts.pid
  }
}

/** The port that was explicitly asked for is in use by another program, or not for this user to listen on. */
export class PortTakenError extends ProcrefError {
  static readonly code = 'PROCREF_PORT_TAKEN'
  readonly host: string
  readonly port: number
  constructor(facts: { readonly host: string; readonly port: number }, options?: Cause) {
    const at = `${facts.host}:${facts.port}`
    super(
      PortTakenError.code,
      errnoOf(options?.cause) === 'EACCES'
        ? `The system does not let this user listen on ${at}, as on most ports below 1024. Ask for another port (or for none).`
        : `${at} is used by another program. Free it, or ask for another port (or for none).`,
      options,
    )
    this.host = facts.host
    this.port = facts.port
  }
}

/** Something else listens where the server should: it was told no password. */
export class StrangerOnPortError extends ProcrefError {
  static readonly code = 'PROCREF_STRANGER_ON_PORT'
  readonly host: string
  readonly port: number
  readonly serverPid: number
  constructor(facts: { readonly host: string; readonly port: number; readonly serverPid: number }) {
    super(
      StrangerOnPortError.code,
      `What listens on ${facts.host}:${facts.port} is not the server (process ${facts.serverPid}), so no password was ` +
        'sent. Find the program that took the port, and end it.',
    )
    this.host = facts.host
    this.port = facts.port
    this.serverPid = facts.serverPid
  }
}

/** The directory was deleted or replaced under a running server. */
export class DirectoryGoneError extends ProcrefError {
  static readonly code = 'PROCREF_DIRECTORY_GONE'
  readonly dir: string
  constructor(facts: { readonly dir: string }, options?: Cause) {
    super(
      DirectoryGoneError.code,
      `${facts.dir} was deleted or replaced while it was in use: what was written since then is in the deleted files. ` +
        'Call connect() to begin with what is there now.',
      options,
    )
    this.dir = facts.dir
  }
}

/** There is no default directory. */
export class HomeUnknownError extends ProcrefError {
  static readonly code = 'PROCREF_HOME_UNKNOWN'
  constructor(reason: string, options?: Cause) {
    super(
      HomeUnknownError.code,
      `No place for the default directory: ${reason}. Set PROCREF_DIR, pass the option \`dir\`, or set HOME.`,
      options,
    )
  }
}

/** `config.json` is wrong. */
export class ConfigFileError extends ProcrefError {
  static readonly code = 'PROCREF_CONFIG_FILE'
  readonly path: string
  /** From 1. */
  readonly line: number
  constructor(facts: { readonly path: string; readonly line: number; readonly problem: string }) {
    super(ConfigFileError.code, `${facts.path}, line ${facts.line}: ${facts.problem}. Correct the file, or remove it.`)
    this.path = facts.path
    this.line = facts.line
  }
}

/** A file of the directory could have been read or written by somebody else. */
export class StateFileUnsafeError extends ProcrefError {
  static readonly code = 'PROCREF_STATE_FILE_UNSAFE'
  readonly path: string
  /** `problem` completes "`path` …"; `remedy` is a sentence without its full stop. */
  constructor(path: string, problem: string, remedy: string) {
    super(StateFileUnsafeError.code, `${path} ${problem}, so it is not used. ${remedy}.`)
    this.path = path
  }
}

function describeEngine(engine: EngineIdentity): string {
  return `${engine.engine} ${engine.version} (${engine.storage})`
}

function withLogTail(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\nThe end of the server's log:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
