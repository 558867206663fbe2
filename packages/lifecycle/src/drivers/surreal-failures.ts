import type { LaunchContext, ServerEnd, SpawnPlan } from '../driver.ts'
import { NewerDataError, OlderDataError, PortTakenError } from '../errors.ts'
import { DatabaseDamagedError, DatabaseLockedError, ServerArgumentsError } from './errors.ts'
import { type Storage, saysDatabaseLocked, systemTrouble } from './surreal-data.ts'

/** What a server that did not come up was started with. */
export interface FailedStart {
  readonly context: LaunchContext
  readonly plan: SpawnPlan
  readonly storage: Storage
  readonly end: ServerEnd
  /** The last lines of its output. */
  readonly lastWords: readonly string[]
}

/** Of a command line that is wrong; for everything else it is 1. */
const USAGE = 2

/** What an early end of `surreal` was, if its exit code or its last words (those of 2.x and 3.x) tell. */
export function explainFailure({ context, plan, storage, end, lastWords }: FailedStart): Error | undefined {
  const words = lastWords.join('\n')
  if (end.code === USAGE) return new ServerArgumentsError({ ...plan, said: complaint(lastWords) })
  const failure = lastWords.findLast((line) => / ERROR /.test(line))
  const cause = new Error(failure ?? words)
  const path = context.databaseDir
  if (/Address already in use|AddrInUse/i.test(words)) return new PortTakenError(context, { cause })
  if (saysDatabaseLocked(words)) return new DatabaseLockedError(path, { cause })
  const versions = versionsIn(words)
  if (versions !== undefined) return otherVersion(path, storage, versions, cause)
  // What is no line of its log may be about another file: where it cannot make a log of its own it panics.
  return damageIn(lastWords, path) ?? (failure === undefined ? undefined : systemTrouble(failure, path))
}

/** Do these lines say that the data are damaged? Nothing that a server does after it has said so mends them. */
export function damageIn(lines: readonly string[], databaseDir: string): DatabaseDamagedError | undefined {
  // Also said while files are read, and no fault of theirs.
  if (lines.some((line) => systemTrouble(line, databaseDir) !== undefined)) return undefined
  const damage = lines.findLast((line) => / ERROR /.test(line) && DAMAGE.test(line))
  if (damage === undefined) return undefined
  return new DatabaseDamagedError(databaseDir, withoutPrefix(damage), { cause: new Error(damage) })
}

/** RocksDB's words, then SurrealKV's, then SurrealDB's own. */
const DAMAGE = new RegExp(
  [
    'Corruption: ',
    'No such file or directory: While open\\w* a file',
    'SSTable error: ',
    'Failed to load manifest: ',
    'failed to fill whole buffer',
    'invalid storage version',
  ].join('|'),
)

interface Versions {
  readonly stored: string
  readonly running: string
}

/** Full versions since 3.3, the major ones else. */
function versionsIn(words: string): Versions | undefined {
  const [, stored, running] =
    /migrated by a newer version of SurrealDB \(Stored: (\S+), Running: (\S+)\)/.exec(words) ?? []
  if (stored !== undefined && running !== undefined) return { stored, running }
  const [, expected, actual] = /out-of-date with this version \(Expected: (\d+), Actual: (\d+)\)/.exec(words) ?? []
  return expected === undefined || actual === undefined ? undefined : { stored: actual, running: expected }
}

function otherVersion(path: string, storage: Storage, { stored, running }: Versions, cause: Error): Error {
  const [written, ours] = [Number.parseInt(stored, 10), Number.parseInt(running, 10)]
  if (written < ours) return new OlderDataError({ path, written, running: ours }, { cause })
  const identity = (version: string) => ({ engine: 'surrealdb', version, storage })
  return new NewerDataError({ path, recorded: identity(stored), asked: identity(running) }, { cause })
}

/** Its first paragraph: `error: unexpected argument '--x' found`. */
function complaint(lastWords: readonly string[]): string {
  const start = lastWords.findIndex((line) => line.startsWith('error: '))
  const paragraph = lastWords.slice(Math.max(0, start)).join('\n').split('\n\n')[0] ?? ''
  return paragraph.replace(/^error: /, '').replace(/\s+/g, ' ')
}

/** Without time, level and module. */
function withoutPrefix(line: string): string {
  return line.replace(/^\S+ +ERROR \S+ (error=)?/, '').replace(/\.$/, '')
}
