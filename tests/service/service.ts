import { readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { readJournal } from '@procref/lifecycle'
import {
  type Child,
  type ChildEvent,
  endDirectory,
  eventually,
  freePort,
  freshDir,
  lockUsers,
  servantsOf,
  startChild,
  surrealBinary,
  whoListensOn,
} from '@procref/testing'
import { onTestFinished } from 'vitest'

export type Driver = 'embedded' | 'binary'

/** Every kind of server that can be started here. */
export const DRIVERS: readonly Driver[] = surrealBinary() === undefined ? ['embedded'] : ['embedded', 'binary']

export interface Connected extends ChildEvent {
  readonly slot: number
  readonly slotPath: string
  readonly epoch: number
  readonly serverPid: number
  readonly guardianPid: number
  readonly port: number
  readonly durable: boolean
}

/** A fresh root directory in `parent`; its guardian and server are ended and nobody holds a lock in it when the test ends. */
export function serviceDir(parent: string = freshDir()): string {
  const dir = `${parent}/service`
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(`${dir}, whose test failed:\n${lastEvents(dir)}`)
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

/** A client process, ended with the test. `options` are connect()'s. */
export function startClient(
  dir: string,
  options: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Child {
  const client = startChild(new URL('./children/client.mjs', import.meta.url), {
    args: [dir, JSON.stringify({ lingerMs: 500, ...options })],
    env,
  })
  onTestFinished(async () => {
    client.kill('SIGKILL')
    await client.exited
  })
  return client
}

/** As `startClient`, with the kind of server chosen for all of a test's clients. */
export type StartClient = (dir: string, options?: Readonly<Record<string, unknown>>) => Child

export function clientsOf(driver: Driver): StartClient {
  return (dir, options = {}) => startClient(dir, { driver, ...options })
}

export async function connected(client: Child): Promise<Connected> {
  return await client.event<Connected>('connected')
}

/** As `connected`, for one of many that start at once. */
export async function connectedWithin(limitMs: number, client: Child): Promise<Connected> {
  return await client.event<Connected>('connected', limitMs)
}

/** Writes one row; resolves when the server has acknowledged it. */
export async function wroteRow(client: Child): Promise<void> {
  client.send('row')
  await client.event('row')
}

/** How many rows there are. */
export async function counted(client: Child): Promise<number> {
  client.send('count')
  return (await client.event<{ rows: number }>('counted')).rows
}

/** What the journal says; a line that a full disk tore, or that is just being written, is none. */
export function journalOf(dir: string): ReturnType<typeof readJournal> {
  return readJournal(`${dir}/journal.ndjson`)
}

/** What came to pass there, for whoever has to understand a failure that does not come again. */
function lastEvents(dir: string): string {
  try {
    const last = journalOf(dir).slice(-50)
    return last.map((entry) => JSON.stringify(entry)).join('\n')
  } catch (error) {
    // The directory has to be ended all the same.
    return `Its journal cannot be read: ${error}`
  }
}

/** How often a server has come up. One that answers again after a while without an answer, on a busy machine, serves again, too. */
export function serverStarts(dir: string): number {
  return journalOf(dir).filter(({ event, reason }) => event === 'server-serving' && reason === 'ready').length
}

interface State {
  readonly port: number
  readonly settings: Readonly<Record<string, unknown>>
  readonly driver: { readonly settings: Readonly<Record<string, unknown>> }
  readonly state: string
  readonly by?: string
  readonly epoch: number
  readonly nonce: string
  readonly starts: readonly unknown[]
  readonly guardian: { readonly pid: number }
  readonly server?: { readonly pid: number }
}

export function stateOf(dir: string): State {
  return JSON.parse(readFileSync(`${dir}/server.json`, 'utf8'))
}

export async function killed(client: Child): Promise<void> {
  client.kill('SIGKILL')
  await client.exited
}

/** Kills a guardian and its server, in this order, as far as one has not ended of the other's death meanwhile. */
export function killTogether(...pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** Resolves once the server has stopped by itself and its port is closed. */
export async function stopped(dir: string, port: number): Promise<void> {
  await eventually('the server has stopped', () => stateOf(dir).state === 'stopped')
  await eventually('nobody listens on its port', () => whoListensOn(port).length === 0)
}

/** What a client says of its time-out when it waits for a guardian that somebody has stopped; `waitedFor` completes "the guardian …". */
export function stoppedGuardianNamed(guardianPid: number, waitedFor: string): RegExp {
  const stands = `is stopped \\(SIGSTOP\\); .kill -CONT ${guardianPid}. lets it go on`
  return new RegExp(`PROCREF_CONNECT_TIMEOUT.*the guardian \\(pid ${guardianPid}, which ${stands}\\) ${waitedFor}`, 's')
}

/** Resolves once no guardian, no server and no holder of a lock is there any more; nobody listens on `port`, when given. */
export async function nothingIsLeft(dir: string, port?: number): Promise<void> {
  await eventually('nothing is left', () => servantsOf(dir).length === 0 && lockUsers(dir).length === 0)
  if (port !== undefined) await eventually('nobody listens on its port', () => whoListensOn(port).length === 0)
}

export interface Stranger {
  readonly port: number
  heard(): string
  close(): Promise<void>
}

/**
 * Somebody else's server, which writes down all it is told. A port that is given is waited for: the end of a connection that went out from it
 * keeps it for a moment.
 */
export async function startStranger(port = 0): Promise<Stranger> {
  return await eventually('the stranger has its port', async () => {
    try {
      return await listen(port)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
      throw error
    }
  })
}

/** As `startStranger`, on a port that nobody else is given meanwhile: once the stranger is closed it is free, and stays so. */
export async function startStrangerApart(): Promise<Stranger> {
  return await listen(await freePort())
}

async function listen(port: number): Promise<Stranger> {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (chunk) => heard.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  onTestFinished(close)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port')
  return { port: address.port, heard: () => Buffer.concat(heard).toString(), close }
}
