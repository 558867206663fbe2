import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const KEEPER = fileURLToPath(new URL('./main.js', import.meta.url))
/** A server that has not said by then that it is ready hangs. */
const HANGS_MS = 120_000
/** The last characters of what it said, for an error. */
const TAIL = 2_000
/** Between looking for a free port and using it, somebody else can take it. */
const MOST_PORTS = 5

/** What a server is started with. Nothing in here is secret: it is on a command line. */
export interface Kept {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where it works; removed when it has ended. */
  readonly folder: string
  /** Another user than this one; only root can. */
  readonly user?: SystemUser
  readonly stopWith: 'SIGTERM' | 'SIGINT'
}

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * A server for a run. It ends, and its folder is removed, when it is disposed or when this process ends, however that comes to pass.
 */
export class KeptServer implements AsyncDisposable {
  readonly #keeper: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper
    this.#exited = once(keeper, 'exit').catch(() => undefined)
  }

  /** Resolves once the server has said what `ready` matches. Throws, with the last it said, when it ended instead. */
  static async start(kept: Kept, ready: RegExp): Promise<KeptServer> {
    const child = spawn(process.execPath, [KEEPER, JSON.stringify(kept)], { detached: true, stdio: 'pipe' })
    const server = new KeptServer(child)
    try {
      await saysReady(child, kept.file, ready)
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Resolves once it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#keeper.stdin?.end()
    await this.#exited
  }
}

/** Calls `start` with a free port, and with another one if somebody took that meanwhile. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await start(await freePort())
    } catch (error) {
      const isTaken = error instanceof Error && /address (is )?already in use/i.test(error.message)
      if (!isTaken || tried === MOST_PORTS) throw error
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port')
  return address.port
}

async function saysReady(child: ChildProcess, name: string, ready: RegExp): Promise<void> {
  let said = ''
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said = (said + chunk.toString()).slice(-TAIL)
        if (ready.test(said)) resolve()
      }
      // Heard for as long as it runs: a full pipe would stop it.
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.stdin?.on('error', () => undefined)
      child.on('error', reject)
      child.on('close', () => reject(new Error(`${name} ended instead of being ready: ${said.trim()}`)))
      timer = setTimeout(() => reject(new Error(`${name} is not ready: ${said.trim()}`)), HANGS_MS)
    })
  } finally {
    clearTimeout(timer)
  }
}
