import { writeSync } from 'node:fs'
import { descriptorModule } from '@procref/core'
import {
  checkSurrealData,
  chooseSurreal,
  type LaunchContext,
  type RunningServer,
  type ServerDriver,
  type SurrealCapabilities,
  type SurrealChoice,
  type SurrealOptions,
  surrealEndpoint,
} from '@procref/lifecycle'
import { engineVersion, loadEngine } from './engine.ts'
import { ALLOCATOR_SETTINGS } from './engine-environment.ts'
import { findPlatformBinary } from './platform-binary.ts'
import { startServer } from './server.ts'

export interface EmbeddedSurrealOptions extends Pick<SurrealOptions, 'storage' | 'sync'> {
  /** The engine has no scripts, and to it everybody who is let in is the owner: no guests. */
  readonly capabilities?: Pick<SurrealCapabilities, 'network' | 'experimental'>
}

/** The engine ends the process for a name that it does not know; modules (`surrealism`) it knows and has not. */
const EXPERIMENTAL: readonly string[] = ['files']

/**
 * SurrealDB's own engine, served by the guardian itself on loopback, to any SurrealDB client: for machines without a `surreal`
 * executable. Every acknowledged write to `rocksdb` or `surrealkv` was synced to the disk, unless `sync` says otherwise.
 *
 * Unspecified: what is written while the process is being killed. Caller: launch it in a process of its own, once, and end
 * that process with `process.exit()`; the engine's threads would keep it alive, and only its end frees the database.
 */
export function embeddedSurreal(options: EmbeddedSurrealOptions = {}): ServerDriver {
  const choice = chooseSurreal(options)
  const { storage } = choice
  if (choice.guests || choice.scripting) {
    throw new TypeError('capabilities: the embedded engine has neither guests nor scripting; surrealBinary() has')
  }
  const unknown = choice.experimental.find((name) => !EXPERIMENTAL.includes(name))
  if (unknown !== undefined) {
    throw new TypeError(`capabilities.experimental: the embedded engine has ${EXPERIMENTAL.join(', ')}, not ${unknown}`)
  }
  return {
    name: 'embedded-surreal',
    descriptor: {
      module: descriptorModule('@procref/embedded', import.meta.url),
      factory: 'embeddedSurreal',
      options: choice.options,
    },
    settings: choice.settings,
    asked: choice.asked,
    placement: 'guardian',
    durable: storage !== 'memory',
    guardianEnvironment: ALLOCATOR_SETTINGS,
    check: async () => void findPlatformBinary(),
    load: async () => void loadEngine(),
    engine: async () => ({ engine: 'surrealdb', version: engineVersion(), storage }),
    checkData: async (databaseDir) => checkSurrealData(databaseDir, storage),
    launch: (context) => launch(context, choice),
  }
}

async function launch(context: LaunchContext, choice: SurrealChoice): Promise<RunningServer> {
  context.signal.throwIfAborted()
  const { host, port, credentials, databaseDir, logFd } = context
  return await startServer({
    host,
    port,
    credentials,
    endpoint: endpointOf(choice, databaseDir),
    ...(syncsLogs(choice) && { syncLogsEveryMs: choice.syncEveryMs }),
    network: choice.network,
    experimental: choice.experimental,
    path: choice.storage === 'memory' ? 'memory' : databaseDir,
    log: (line) => writeLog(logFd, line),
  })
}

/** `sync` is always said here, so that no environment variable can weaken it. */
function endpointOf(choice: SurrealChoice, databaseDir: string): string {
  const { storage, sync } = choice
  if (storage === 'memory') return 'mem://'
  return `${surrealEndpoint(storage, databaseDir)}?sync=${syncsLogs(choice) ? 'never' : sync}`
}

/** Whether we sync in the background, and not the engine: see `LogSync`. */
function syncsLogs({ storage, syncEveryMs }: SurrealChoice): boolean {
  return storage === 'rocksdb' && syncEveryMs !== undefined
}

function writeLog(fd: number, line: string): void {
  try {
    writeSync(fd, `${new Date().toISOString()} ${line}\n`)
  } catch {
    // A full disk or a closed log must not stop a database.
  }
}
