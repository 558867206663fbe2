import { descriptorModule } from '@procref/core'
import type { LaunchContext, ServerDriver, SpawnPlan } from '../driver.ts'
import { allocatorEnvironment } from './allocator.ts'
import { type ChildServer, launchChild } from './child-server.ts'
import { findSurreal, surrealVersion } from './find-surreal.ts'
import { checkSurrealData, surrealEndpoint } from './surreal-data.ts'
import { explainFailure } from './surreal-failures.ts'
import { chooseSurreal, type SurrealChoice, type SurrealOptions } from './surreal-options.ts'
import { answersHealth, answersQueries, askVersion, commitsWrites } from './surreal-ready.ts'
import { checkVersion, syncEnvironment } from './surreal-versions.ts'

export interface SurrealBinaryOptions extends SurrealOptions {
  /** The executable. Default: `$PROCREF_SURREAL_BIN`, else the one that is installed (see `findSurreal`). */
  readonly path?: string
  /** More of `surreal start`'s options, e.g. `['--query-timeout', '30s']`. */
  readonly args?: readonly string[]
}

/** Options that are the guardian's business, that would put a secret on the command line, or that have a name of their own here. */
const RESERVED =
  /^(--(bind|user|username|pass|password|unauthenticated|web-(crt|key)|(allow|deny)-(all|guests|scripting|net|experimental))(=|$)|-[bupBAD])/

/**
 * A `surreal` executable, 2.6 or newer, as a child of the guardian.
 *
 * Guarantee: bound to loopback; the password is in its environment only; guests, scripts, connections to elsewhere and experimental
 * features are refused unless `capabilities` allow them; an acknowledged write is on the disk unless `sync` says otherwise. What it was started with
 * is what it took: what it would ignore is refused. Throws `TypeError` for options that cannot be; the start fails with
 * `ServerTooOldError`, `ServerArgumentsError`, `PortTakenError`, `DatabaseLockedError` (another program has the database open),
 * `DatabaseDamagedError`, `NewerDataError`, `OlderDataError`, `DataEngineMismatchError` or `CredentialsRefusedError`, as it may be.
 */
export function surrealBinary(options: SurrealBinaryOptions = {}): ServerDriver {
  const { args = [], path = process.env.PROCREF_SURREAL_BIN || undefined, ...common } = options
  const choice = chooseSurreal(common)
  const { storage } = choice
  const reserved = args.find((arg) => RESERVED.test(arg) || (!arg.startsWith('-') && arg.includes('://')))
  if (reserved !== undefined) {
    throw new TypeError(`args: ${reserved} is set by procref itself; \`capabilities\` says what is allowed`)
  }
  const more = args.length > 0 && { args }
  return {
    name: 'surreal-binary',
    descriptor: {
      module: descriptorModule('@procref/lifecycle', import.meta.url, '../index.js'),
      factory: 'surrealBinary',
      options: { ...choice.options, args, ...(path !== undefined && { path }) },
    },
    settings: { ...choice.settings, ...more },
    asked: { ...choice.asked, ...more },
    placement: 'child',
    durable: storage !== 'memory',
    check: async () => void findSurreal(path),
    engine: async () => {
      const file = findSurreal(path)
      const version = await surrealVersion(file)
      checkVersion(file, version)
      return { engine: 'surrealdb', version, storage }
    },
    checkData: async (databaseDir) => checkSurrealData(databaseDir, storage),
    launch: async (context) => {
      const file = findSurreal(path)
      const plan: SpawnPlan = {
        file,
        args: startArguments(context, choice, args),
        env: environment(context, syncEnvironment(file, await surrealVersion(file), choice.sync)),
      }
      return launchChild(context, {
        plan,
        readiness: (pid) => answersQueries(context, pid),
        health: (look, pid) => answersHealth(context, pid, look),
        refusal: REFUSED,
        commits: afterRefusal(context, storage),
        details: (wait, pid) => askVersion(context, pid, wait),
        explain: (end, lastWords) => explainFailure({ context, plan, storage, end, lastWords }),
      })
    },
  }
}

/**
 * What 3.3.5 logs when its storage fails to commit, mostly without the reason (of a conflict it logs nothing), and the system's reasons: EIO,
 * EFBIG, ENOSPC, EROFS, EDQUOT.
 */
const REFUSED = /transaction commit failed|no storage space|no space left|quota exceeded|\(os error (5|27|28|30|122)\)/i

/**
 * RocksDB is asked. SurrealKV (3.3.5) commits again as soon as there is space, behind the record that the full disk has torn: whatever it
 * acknowledges from then on is lost if it is killed, because the next start reads its log up to that record.
 */
function afterRefusal(context: LaunchContext, storage: SurrealChoice['storage']): ChildServer['commits'] {
  if (storage === 'surrealkv') return async () => 'its SurrealKV may have torn its log by that, and must be opened anew'
  return (look, pid) => commitsWrites(context, pid, look)
}

/** The database comes first: behind an option that takes a list the server would read it as one more of that list, and use memory. */
function startArguments(
  { host, port, databaseDir }: LaunchContext,
  { storage, guests, scripting, network, experimental }: SurrealChoice,
  args: readonly string[],
): readonly string[] {
  return [
    'start',
    storage === 'memory' ? 'memory' : surrealEndpoint(storage, databaseDir),
    '--no-banner',
    `--bind=${host}:${port}`,
    guests ? '--allow-guests' : '--deny-guests',
    // Builds without scripts know neither option, and never run any.
    ...(scripting ? ['--allow-scripting'] : []),
    network === true ? '--allow-net' : '--deny-net',
    ...(Array.isArray(network) ? [`--allow-net=${network.join(',')}`] : []),
    // None are allowed by themselves, and not every version has an option that says so.
    ...(experimental.length > 0 ? [`--allow-experimental=${experimental.join(',')}`] : []),
    ...args,
  ]
}

/** Which version had the data open before is worth a line (see take-over/written-by.ts). Versions before 3.3 do not know. */
const LOGGED = 'warn,surrealdb::core::kvs::migration=info'

/** Nothing of ours named SURREAL_* or GLIBC_* reaches the server, so these are all it knows. */
function environment(
  { credentials }: LaunchContext,
  sync: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    SURREAL_USER: credentials.user,
    SURREAL_PASS: credentials.password,
    SURREAL_LOG: LOGGED,
    SURREAL_ONLINE_VERSION_CHECK: 'false',
    ...allocatorEnvironment(),
    ...sync,
  }
}
