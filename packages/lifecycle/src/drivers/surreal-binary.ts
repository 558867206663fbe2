import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Endpoint, EngineIdentity, ServerDriver } from '../driver.ts'
import { getStatus } from '../wait/http.ts'
import { waitUntilReady } from '../wait/wait.ts'
import { launchChild } from './child-server.ts'
import { ExecutableNotFoundError } from './errors.ts'
import { findExecutable } from './find-executable.ts'
import { makeDefaultDatabase } from './surreal-sql.ts'

export type Storage = 'rocksdb' | 'surrealkv' | 'memory'

export interface SurrealBinaryOptions {
  /** The executable. Default: `$PROCREF_SURREAL_BIN`, else `surreal-db` or `surreal` in `PATH`. */
  readonly path?: string
  /** Default `rocksdb`, the safest. */
  readonly storage?: Storage
}

/** A `surreal` executable as a child of the guardian. */
export function surrealBinary(options: SurrealBinaryOptions = {}): ServerDriver {
  const storage = options.storage ?? 'rocksdb'
  const executable = (): string => findSurreal(options.path)
  return {
    name: 'surreal-binary',
    descriptor: {
      module: new URL('../index.js', import.meta.url).href,
      factory: 'surrealBinary',
      options: { storage, ...(options.path !== undefined && { path: options.path }) },
    },
    settings: { storage },
    placement: 'child',
    durable: storage !== 'memory',
    check: async () => void executable(),
    engine: async () => ({ engine: 'surrealdb', version: await versionOf(executable()), storage }),
    launch: async (context) => {
      const { host, port, credentials, databaseDir } = context
      const path = storage === 'memory' ? 'memory' : `${storage}://${databaseDir}`
      const plan = {
        file: executable(),
        args: ['start', '--no-banner', '--bind', `${host}:${port}`, path],
        env: {
          SURREAL_USER: credentials.user,
          SURREAL_PASS: credentials.password,
          SURREAL_LOG: 'warn',
          SURREAL_ONLINE_VERSION_CHECK: 'false',
          // 3.x and 2.x: an acknowledged write is on the disk.
          SURREAL_DATASTORE_SYNC_DATA: 'every',
          SURREAL_SYNC_DATA: 'true',
        },
      }
      return launchChild(context, plan, async ({ ended }, signal) => {
        await waitUntilReady({ what: 'its health check to answer', ready: isHealthy }, { ...context, ended, signal })
        return { version: await makeDefaultDatabase(context, signal) }
      })
    },
  }
}

/** Versions before 3.2 have no `/ready`. */
async function isHealthy(endpoint: Endpoint): Promise<boolean> {
  const ready = await getStatus(endpoint, '/ready')
  return ready === 404 ? (await getStatus(endpoint, '/health')) === 200 : ready === 200
}

function findSurreal(asked: string | undefined): string {
  const wanted = asked ?? process.env.PROCREF_SURREAL_BIN
  const names = wanted !== undefined && wanted !== '' ? [wanted] : ['surreal-db', 'surreal']
  for (const name of names) {
    const found = findExecutable(name)
    if (found !== undefined) return found
  }
  throw new ExecutableNotFoundError(
    'surreal executable',
    names.map((name) => (name.includes('/') ? name : `${name} in PATH`)),
    'Install SurrealDB, or give the option `path` or PROCREF_SURREAL_BIN.',
  )
}

async function versionOf(file: string): Promise<EngineIdentity['version']> {
  const { stdout } = await promisify(execFile)(file, ['version'], { encoding: 'utf8', timeout: 30_000, cwd: '/' })
  const version = /(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${file} version printed no version: ${stdout.slice(0, 200)}`)
  return version
}
