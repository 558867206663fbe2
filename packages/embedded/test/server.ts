import { embeddedSurreal } from '@procref/embedded'
import { allocatorEnvironment } from '@procref/lifecycle'
import {
  type Child,
  eventually,
  freePort,
  startChild,
  startProgram,
  surrealBinary,
  whoListensOn,
} from '@procref/testing'

export const USER = 'root'
export const PASSWORD = 'secret'

export interface TestServer extends AsyncDisposable {
  readonly kind: 'embedded' | 'real'
  readonly port: number
  readonly child: Child
}

export interface EmbeddedOptions {
  readonly storage?: 'rocksdb' | 'surrealkv' | 'memory'
  readonly databaseDir?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  /** What the C library is told. Default: as procref tells it. */
  readonly allocator?: NodeJS.ProcessEnv
}

/** The driver, launched in a process of its own: should a client end it, a test fails and not the test run. */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<TestServer> {
  const child = launchEmbedded(options)
  try {
    const { port } = await child.event<{ port: number }>('ready')
    return { kind: 'embedded', port, child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}

/** Without waiting for anything. */
export function launchEmbedded({
  allocator = embeddedSurreal().guardianEnvironment ?? {},
  ...options
}: EmbeddedOptions = {}): Child {
  return startChild(new URL('./children/server.mjs', import.meta.url), {
    args: [JSON.stringify(options)],
    env: allocator,
  })
}

export interface RealOptions extends Pick<EmbeddedOptions, 'storage' | 'databaseDir' | 'port' | 'allocator'> {
  /** What is not switched on by itself. */
  readonly experimental?: string
}

/** So often another port is tried, where none was asked for. */
const PORTS_TRIED = 5

/** A SurrealDB server, or `undefined` if there is none for tests. */
export async function startReal(options: RealOptions = {}): Promise<TestServer | undefined> {
  const binary = surrealBinary()
  if (binary === undefined) return undefined
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await freePort())
    const child = launchReal(binary, port, options)
    try {
      if (await isReady(child, port))
        return { kind: 'real', port, child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
      // Somebody else may have got the port before it.
      if (options.port !== undefined || tries === PORTS_TRIED)
        throw new Error(`the real server ended before it was ready: ${child.stderr()}`)
    } catch (error) {
      await child[Symbol.asyncDispose]()
      throw error
    }
  }
}

function launchReal(binary: string, port: number, options: RealOptions): Child {
  const { storage = 'memory', databaseDir, experimental, allocator = allocatorEnvironment() } = options
  return startProgram(binary, {
    args: [
      'start',
      '--no-banner',
      '--bind',
      `127.0.0.1:${port}`,
      storage === 'memory' ? storage : `${storage}://${databaseDir}`,
    ],
    env: {
      SURREAL_USER: USER,
      SURREAL_PASS: PASSWORD,
      SURREAL_LOG: 'error',
      SURREAL_ONLINE_VERSION_CHECK: 'false',
      ...allocator,
      ...(experimental !== undefined && { SURREAL_CAPS_ALLOW_EXPERIMENTAL: experimental }),
    },
  })
}

/** False: it ended before it was. That somebody answers on the port is no proof that it is this one. */
async function isReady(child: Child, port: number): Promise<boolean> {
  let ended = false
  void child.exited.finally(() => {
    ended = true
  })
  await eventually('the real server answers', async () => {
    if (ended) return true
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    return (answer?.ok ?? false) && (process.platform !== 'linux' || whoListensOn(port).includes(child.pid))
  })
  return !ended
}
