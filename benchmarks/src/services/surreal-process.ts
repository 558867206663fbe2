import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { findSurreal } from '@procref/lifecycle'
import type { ServiceSettings } from '../service.ts'
import type { Login } from '../service-client/open-client.ts'

export interface SurrealProcess {
  readonly pid: number
  readonly login: Login
  /** Asks it to stop; resolves when it is gone. */
  stop(): Promise<void>
}

const LOOK_MS = 10
/** Reaching it means that the server does not come up. */
const HANGS_MS = 60_000
/** A server that waits for a connection to end hurries at the second signal. */
const ASK_AGAIN_MS = 1_000

/**
 * A `surreal` as people start it, with its data and its log in `dir`, as durable as procref's. Resolves when it answers queries and has
 * its namespace and database. Caller: stop it; it does not end with this process.
 */
export async function startSurreal(dir: string, storage: ServiceSettings['storage']): Promise<SurrealProcess> {
  const port = await freePort()
  const login = { url: `ws://127.0.0.1:${port}/rpc`, user: 'root', password: randomBytes(18).toString('base64url') }
  const log = openSync(join(dir, 'server.log'), 'a', 0o600)
  const database = storage === 'memory' ? 'memory' : `${storage}://${join(dir, 'db')}`
  const args = ['start', '--no-banner', '--deny-guests', '--bind', `127.0.0.1:${port}`, database]
  const child = spawn(findSurreal(process.env.PROCREF_SURREAL_BIN || undefined), args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: environmentOf(login),
  })
  closeSync(log)
  const exited = once(child, 'exit').catch(() => undefined)
  const { pid } = child
  if (pid === undefined) throw new Error('surreal could not be started')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const gone = exited.then(() => true)
    if (await Promise.race([gone, after(ASK_AGAIN_MS, false, { ref: false })])) return
    child.kill('SIGTERM')
    await exited
  }
  try {
    await answers(port, login, () => child.exitCode !== null || child.signalCode !== null)
    return { pid, login, stop }
  } catch (error) {
    child.kill('SIGKILL')
    await exited
    throw error
  }
}

function environmentOf({ user, password }: Login): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SURREAL_'))
  return {
    ...Object.fromEntries(own),
    SURREAL_USER: user,
    SURREAL_PASS: password,
    SURREAL_LOG: 'warn',
    SURREAL_ONLINE_VERSION_CHECK: 'false',
    SURREAL_DATASTORE_SYNC_DATA: 'every',
    SURREAL_SYNC_DATA: 'true',
  }
}

async function answers(port: number, { user, password }: Login, hasEnded: () => boolean): Promise<void> {
  const request = {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    },
    body: 'DEFINE NAMESPACE IF NOT EXISTS main; USE NS main; DEFINE DATABASE IF NOT EXISTS main;',
  }
  let last: unknown
  for (const deadline = performance.now() + HANGS_MS; performance.now() < deadline; await after(LOOK_MS)) {
    if (hasEnded()) throw new Error('surreal ended while it was starting')
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/sql`, request)
      if (answer.ok) return
      last = `it answers ${answer.status}`
    } catch (error) {
      // Not listening yet.
      last = error
    }
  }
  throw new Error('surreal does not come up', { cause: last })
}

async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen({ host: '127.0.0.1', port: 0 })
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
