import type { LaunchContext, ServerDriver } from '../driver.ts'
import { PortTakenError } from '../errors.ts'
import { launchChild } from './child-server.ts'
import { DatabaseLockedError } from './errors.ts'
import { findSurreal, surrealVersion } from './find-surreal.ts'
import { checkSurrealData, type Storage, saysDatabaseLocked } from './surreal-data.ts'
import { answersHealth, answersQueries, askVersion } from './surreal-ready.ts'

export interface SurrealBinaryOptions {
  /** The executable. Default: `$PROCREF_SURREAL_BIN`, else the one that is installed (see `findSurreal`). */
  readonly path?: string
  /** Default `rocksdb`, the safest. */
  readonly storage?: Storage
  /** More of `surreal start`'s options, e.g. `['--allow-net', 'example.com']`. */
  readonly args?: readonly string[]
}

/** Options that are the guardian's business, or that would put a secret on the command line. */
const RESERVED = /^(--(bind|user|username|pass|password|unauthenticated|web-(crt|key))(=|$)|-[bupB])/

/**
 * A `surreal` executable as a child of the guardian.
 *
 * Guarantee: bound to loopback; the password is in its environment only; guests are refused; an acknowledged write is on the
 * disk. Caller: a server that another program started on the same database is refused with `DatabaseLockedError`.
 */
export function surrealBinary(options: SurrealBinaryOptions = {}): ServerDriver {
  const { storage = 'rocksdb', args = [], path = process.env.PROCREF_SURREAL_BIN || undefined } = options
  const reserved = args.find((arg) => RESERVED.test(arg) || (!arg.startsWith('-') && arg.includes('://')))
  if (reserved !== undefined) throw new TypeError(`args: ${reserved} is set by procref itself`)
  return {
    name: 'surreal-binary',
    descriptor: {
      module: new URL('../index.js', import.meta.url).href,
      factory: 'surrealBinary',
      options: { storage, args, ...(path !== undefined && { path }) },
    },
    settings: { storage, ...(args.length > 0 && { args }) },
    placement: 'child',
    durable: storage !== 'memory',
    check: async () => void findSurreal(path),
    engine: async () => ({ engine: 'surrealdb', version: await surrealVersion(findSurreal(path)), storage }),
    checkData: async (databaseDir) => checkSurrealData(databaseDir, storage),
    launch: async (context) =>
      launchChild(context, {
        plan: {
          file: findSurreal(path),
          args: startArguments(context, storage, args),
          env: environment(context),
        },
        readiness: (pid) => answersQueries(context, pid),
        health: answersHealth,
        details: askVersion,
        explain: (lastWords) => explain(lastWords.join('\n'), context),
      }),
  }
}

function startArguments(context: LaunchContext, storage: Storage, args: readonly string[]): readonly string[] {
  const { host, port, databaseDir } = context
  const database = storage === 'memory' ? 'memory' : `${storage}://${databaseDir}`
  return ['start', '--no-banner', '--deny-guests', '--bind', `${host}:${port}`, ...args, database]
}

/** Nothing of ours named SURREAL_* reaches the server, so these are all it knows. */
function environment({ credentials }: LaunchContext): Readonly<Record<string, string>> {
  return {
    SURREAL_USER: credentials.user,
    SURREAL_PASS: credentials.password,
    SURREAL_LOG: 'warn',
    SURREAL_ONLINE_VERSION_CHECK: 'false',
    // 3.x and 2.x: an acknowledged write is on the disk.
    SURREAL_DATASTORE_SYNC_DATA: 'every',
    SURREAL_SYNC_DATA: 'true',
  }
}

/** The exit code is 1 for all of them; these lines are what 2.x and 3.x say. */
function explain(lastWords: string, context: LaunchContext): Error | undefined {
  const cause = new Error(lastWords.split('\n').find((line) => / ERROR /.test(line)) ?? lastWords)
  if (/Address already in use|AddrInUse/i.test(lastWords)) return new PortTakenError(context, { cause })
  if (saysDatabaseLocked(lastWords)) {
    return new DatabaseLockedError(context.databaseDir, { cause })
  }
  return undefined
}
