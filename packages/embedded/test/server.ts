import { createServer } from 'node:net'
import { embeddedSurreal } from '@procref/embedded'
import { type Child, eventually, startChild, startProgram, surrealBinary } from '@procref/testing'

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
export function launchEmbedded(options: EmbeddedOptions = {}): Child {
  const { guardianEnvironment } = embeddedSurreal()
  return startChild(new URL('./children/server.mjs', import.meta.url), {
    args: [JSON.stringify(options)],
    ...(guardianEnvironment !== undefined && { env: guardianEnvironment }),
  })
}

export interface RealOptions extends Pick<EmbeddedOptions, 'storage' | 'databaseDir' | 'port'> {
  /** What is not switched on by itself. */
  readonly experimental?: string
}

/** A SurrealDB server, or `undefined` if there is none for tests. */
export async function startReal(options: RealOptions = {}): Promise<TestServer | undefined> {
  const binary = surrealBinary()
  if (binary === undefined) return undefined
  const { storage = 'memory', databaseDir, experimental, port = await freePort() } = options
  const child = startProgram(binary, {
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
      ...(experimental !== undefined && { SURREAL_CAPS_ALLOW_EXPERIMENTAL: experimental }),
    },
  })
  await eventually('the real server answers', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    return answer?.ok ?? false
  })
  return { kind: 'real', port, child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
