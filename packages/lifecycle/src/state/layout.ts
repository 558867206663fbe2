import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { HomeUnknownError } from '../errors.ts'

/** Every path below one root directory. What each file is for stands in docs/architecture.md. */
export interface Layout {
  /** Absolute. */
  readonly root: string
  readonly slots: string
  /** Of those who use a server elsewhere: no guardian looks at them. */
  readonly externalSlots: string
  readonly config: string
  readonly guardianLock: string
  /** Caller: `nonce` is one (`isNonce`); it becomes part of the file name. */
  aliveLock(nonce: string): string
  readonly startLock: string
  readonly keeperLock: string
  readonly serverJson: string
  readonly requestJson: string
  readonly journal: string
  readonly serverLog: string
  readonly data: string
  readonly serverLock: string
  readonly engineJson: string
  readonly upgradeJson: string
  /** Of a take-over that is not quite finished. */
  readonly takeoverJson: string
  readonly credentialsJson: string
  readonly database: string
}

/** Names the files of the directory `dir`; touches none of them. */
export function layout(dir: string): Layout {
  const root = resolve(dir)
  const data = join(root, 'data')
  return {
    root,
    slots: join(root, 'slots'),
    externalSlots: join(root, 'external'),
    config: join(root, 'config.json'),
    guardianLock: join(root, 'guardian.lock'),
    aliveLock: (nonce) => join(root, `alive-${nonce}.lock`),
    startLock: join(root, 'start.lock'),
    keeperLock: join(root, 'keeper.lock'),
    serverJson: join(root, 'server.json'),
    requestJson: join(root, 'request.json'),
    journal: join(root, 'journal.ndjson'),
    serverLog: join(root, 'server.log'),
    data,
    // Inside the data directory: it guards the data, wherever they are mounted, not the files beside them.
    serverLock: join(data, 'server.lock'),
    engineJson: join(data, 'engine.json'),
    upgradeJson: join(data, 'upgrade.json'),
    takeoverJson: join(data, 'takeover.json'),
    credentialsJson: join(data, 'credentials.json'),
    database: join(data, 'db'),
  }
}

/**
 * `$PROCREF_DIR`, else `.procref` in the home directory; an empty variable counts as unset. A relative `$PROCREF_DIR` is
 * taken from the working directory. Throws `HomeUnknownError` when there is neither.
 */
export function defaultDirectory(env: NodeJS.ProcessEnv = process.env, home: () => string = homedir): string {
  const asked = env.PROCREF_DIR
  if (asked !== undefined && asked !== '') return resolve(asked)
  return join(usableHome(home), '.procref')
}

function usableHome(home: () => string): string {
  let found: string
  try {
    found = home()
  } catch (error) {
    // Node asks the user database when HOME is unset, and throws when this user has no entry (containers with any uid).
    throw new HomeUnknownError('this user has no home directory', { cause: error })
  }
  if (found === '') throw new HomeUnknownError('HOME is empty')
  if (!isAbsolute(found)) throw new HomeUnknownError(`HOME is ${JSON.stringify(found)}, which is not an absolute path`)
  return found
}
