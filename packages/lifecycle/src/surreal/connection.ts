import type { Surreal } from 'surrealdb'
import type { Credentials } from '../driver.ts'
import { type ProveServer, provenWebSocket } from './proven-web-socket.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly namespace: string
  readonly database: string
  readonly credentials: () => Credentials
  readonly prove: ProveServer
  readonly signal: AbortSignal
}

/** The official SDK's object, connected, and what the lease has to know of it. */
export interface SurrealConnection {
  readonly db: Surreal
  /** The connection was lost; the SDK dials the same URL again by itself, without end. */
  onDropped(listener: () => void): void
  /** Resolves once the connection is up (again); rejects with the signal's reason. */
  whenConnected(signal: AbortSignal): Promise<void>
  /** Dials another URL with the same object: the SDK itself knows only its first one. */
  redial(url: string): Promise<void>
  close(): Promise<void>
}

/** The SDK must not give up by itself: the lease decides how long a server may take to come back. */
const RECONNECT = {
  enabled: true,
  attempts: -1,
  retryDelay: 100,
  retryDelayMax: 2_000,
  retryDelayMultiplier: 1.5,
  retryDelayJitter: 0.25,
}

/**
 * Connects the SDK and makes namespace and database if they are missing.
 *
 * The SDK is imported here and not on top, so that what never connects never loads it. Its `connect()` does not settle when
 * nobody answers (surrealdb.js #675), hence the signal.
 */
export async function openConnection(options: ConnectionOptions): Promise<SurrealConnection> {
  const { namespace, database, signal } = options
  const { Surreal } = await import('surrealdb')
  const db = new Surreal({ websocketImpl: provenWebSocket(options.prove) })
  const settings = {
    namespace,
    database,
    versionCheck: false,
    reconnect: RECONNECT,
    authentication: () => {
      const { user, password } = options.credentials()
      return { username: user, password }
    },
  }
  try {
    await unlessAborted(db.connect(options.url, settings), signal)
    await unlessAborted(makeDatabase(db, namespace, database), signal)
  } catch (error) {
    // A close that fails as well must not hide why.
    await db.close().catch(() => {})
    throw error
  }
  return {
    db,
    onDropped(listener) {
      db.subscribe('reconnecting', listener)
      db.subscribe('disconnected', listener)
    },
    whenConnected: (until) => whenConnected(db, until),
    async redial(url) {
      await db.connect(url, settings)
    },
    close: async () => void (await db.close()),
  }
}

const RETRIES = 20

/** Simultaneous first clients may get in each other's way; such an error says that it can be retried. */
async function makeDatabase(db: Surreal, namespace: string, database: string): Promise<void> {
  if (namespace === 'main' && database === 'main') return
  for (let attempt = 1; ; attempt++) {
    try {
      await db.query(
        `DEFINE NAMESPACE IF NOT EXISTS ${quoted(namespace)}; USE NS ${quoted(namespace)};` +
          ` DEFINE DATABASE IF NOT EXISTS ${quoted(database)};`,
      )
      await db.use({ namespace, database })
      return
    } catch (error) {
      if (attempt >= RETRIES || !/can be retried|conflict/i.test(String(error))) throw error
    }
  }
}

/** An identifier in SurrealQL; within backticks only backtick and backslash mean something. */
function quoted(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

async function unlessAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}

async function whenConnected(db: Surreal, signal: AbortSignal): Promise<void> {
  if (db.status === 'connected') return
  let stop: (() => void) | undefined
  const connected = new Promise<void>((resolve) => {
    stop = db.subscribe('connected', () => resolve())
  })
  try {
    await unlessAborted(connected, signal)
  } finally {
    stop?.()
  }
}
