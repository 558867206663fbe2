import type { ConnectOptions, EngineFactory, Surreal, SystemAuth } from 'surrealdb'
import type { Credentials } from '../driver.ts'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from '../drivers/default-database.ts'
import { isRetryable } from '../drivers/surreal-writes.ts'
import type { ProveServer } from '../identity/proven-dial.ts'
import type { LeaseEngine } from './engine.ts'
import { quoteIdentifier } from './identifier.ts'
import { News } from './news.ts'
import { provenFetch } from './proven-fetch.ts'
import { retryable } from './retryable.ts'
import { loadSdk } from './sdk.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly namespace: string
  readonly database: string
  /** Asked for at each sign-in. If it fails on the first connection so does that; later it is asked again. */
  readonly credentials: () => SignIn | Promise<SignIn>
  /** Asked before each connection and again before the first byte is sent over it. */
  readonly prove: ProveServer
  readonly signal: AbortSignal
  /**
   * Called once the first connection is signed in, before it counts as open; what it rejects with is the failure. Left out: namespace and
   * database are made if they are missing and not the default ones.
   */
  readonly prepare?: (db: Surreal) => Promise<void>
  /**
   * How often the server is asked whether it is there, ms; a connection on which two of these questions have no answer is given up and
   * dialled again. Left out: a server that is silent is waited for, because it stands still on this very machine.
   */
  readonly pingMs?: number
}

/** The server's administrator, or one of a namespace or a database, or a token of anybody. */
export type SignIn =
  | (Credentials & { readonly namespace?: string; readonly database?: string })
  | { readonly token: string }

/** The official SDK's object, connected, and what the lease has to know of it. */
export interface SurrealConnection {
  readonly db: Surreal
  /** Calls `listener` when the connection is lost; it is dialled again until `close()`. Returns what takes the listener away. */
  onDropped(listener: (error: Error) => void): () => void
  /** Calls `listener` each time it is up again, restored, with pending calls sent anew. */
  onConnected(listener: () => void): () => void
  /**
   * Calls `listener` when it is over: for the reason that the server gave when the session could not be restored, or without one
   * because the program itself closed `db`. Not called after `close()`.
   */
  onEnded(listener: (error: Error | undefined) => void): () => void
  /** Resolves once the connection is up (again); rejects with the signal's reason. */
  whenConnected(signal: AbortSignal): Promise<void>
  /**
   * Dials at once instead of at the next interval, and another URL if it is another: same object, sessions, variables, live queries
   * and pending calls.
   */
  redial(url: string): void
  /**
   * Ends it: calls without an answer are rejected with the SDK's `CallTerminatedError`. Within half a second, whatever the server
   * does; nothing of it keeps the process alive afterwards. Never rejects.
   */
  close(): Promise<void>
}

/**
 * Connects the SDK, signs it in, and makes namespace and database if they are missing.
 *
 * Guarantee: whoever is not proven receives not a single byte, now and at each reconnection. Rejects with the first failure
 * (nobody listens, not proven, no credentials, refused), or with the signal's reason, and then nothing is left behind.
 * Unspecified: whether a call in flight when the connection dropped is carried out once or twice; a third connection that
 * dies under it ends it with `CallTerminatedError`.
 * The SDK is loaded here and not on top, so that what never connects never loads it.
 */
export async function openConnection(options: ConnectionOptions): Promise<SurrealConnection> {
  const { namespace, database, prove, signal, pingMs } = options
  const prepare = options.prepare ?? ((db: Surreal) => makeDatabase(db, namespace, database))
  signal.throwIfAborted()
  const [{ Surreal }, { LeaseEngine }] = await loadSdk()
  const news = new News()
  let engine: InstanceType<typeof LeaseEngine> | undefined
  const makeEngine: EngineFactory = (context) => {
    engine = new LeaseEngine(context, {
      prove,
      ...(pingMs !== undefined && { pingMs }),
      onDropped: (error) => news.tell('dropped', error),
      onEnded: (error) => news.tell('ended', error),
      whyClosed: () => news.lastError,
    })
    return engine
  }
  const db = new Surreal({ engines: { ws: makeEngine, wss: makeEngine }, fetchImpl: provenFetch(prove) })
  db.subscribe('error', (error) => news.remember(error))
  const settings: ConnectOptions = {
    namespace,
    database,
    versionCheck: false,
    // Off, as the SDK has it, until a program says `.retry()`. Its own test knows a conflict by a name that servers before 3.1,
    // and the embedded engine, do not give it, and knows nothing of causes.
    retry: { enabled: false, retryable: isConflict },
    authentication: () => signIn(options.credentials, engine),
  }
  const over = new AbortController()
  try {
    const connected = db.connect(options.url, settings).then(() => prepare(db))
    // The SDK's promise settles only if somebody is there, and knows no signal.
    await Promise.race([connected, news.ended(over.signal), untilAborted(signal, over.signal)])
  } catch (error) {
    await db.close()
    throw error
  } finally {
    over.abort()
  }
  db.subscribe('connected', () => news.tell('connected', undefined))
  return new OpenConnection(db, news, () => engine)
}

function isConflict(error: unknown): boolean {
  const { cause } = (error ?? {}) as { readonly cause?: unknown }
  return isRetryable(String(error)) || isRetryable(String(cause))
}

class OpenConnection implements SurrealConnection {
  readonly db: Surreal
  readonly #news: News
  readonly #engine: () => LeaseEngine | undefined
  #closed = false

  constructor(db: Surreal, news: News, engine: () => LeaseEngine | undefined) {
    this.db = db
    this.#news = news
    this.#engine = engine
  }

  onDropped(listener: (error: Error) => void): () => void {
    return this.#news.on('dropped', listener)
  }

  onConnected(listener: () => void): () => void {
    return this.#news.on('connected', listener)
  }

  onEnded(listener: (error: Error | undefined) => void): () => void {
    return this.#news.on('ended', (error) => {
      if (!this.#closed) listener(error)
    })
  }

  async whenConnected(signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    try {
      await Promise.race([
        new Promise<void>((resolve) => {
          const stop = this.onConnected(resolve)
          over.signal.addEventListener('abort', stop)
          if (this.db.status === 'connected') resolve()
        }),
        this.#news.ended(over.signal),
        untilAborted(signal, over.signal),
      ])
    } finally {
      over.abort()
    }
  }

  redial(url: string): void {
    this.#engine()?.redial(new URL(url))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.db.close()
  }
}

/**
 * Without credentials (the server is up, but nobody has said so yet) the connection is dropped, to be made again later: an error
 * here would end the SDK's attempts for good. The promise then never settles, nor does it when the connection has gone meanwhile:
 * the SDK would go on with the session on a connection for which it was not meant.
 */
async function signIn(
  credentials: ConnectionOptions['credentials'],
  engine: LeaseEngine | undefined,
): Promise<SystemAuth | string> {
  const connection = engine?.restoring
  try {
    const given = await credentials()
    if (engine?.restoring === connection) return inWordsOfSdk(given)
  } catch (error) {
    // The renewal of a token, or a further session: nothing that the connection depends on.
    if (connection === undefined) throw error
    if (engine?.restoring === connection) engine?.drop(error as Error)
  }
  return await new Promise(() => {})
}

function inWordsOfSdk(given: SignIn): SystemAuth | string {
  if ('token' in given) return given.token
  const { user, ...rest } = given
  return { username: user, ...rest }
}

/** The driver has made the default ones. */
async function makeDatabase(db: Surreal, namespace: string, database: string): Promise<void> {
  if (namespace === DEFAULT_NAMESPACE && database === DEFAULT_DATABASE) return
  await define(db, { namespace, database }, ['namespace', 'database'])
}

/** Makes `what` of the two if it is missing, and uses both. */
export async function define(
  db: Surreal,
  names: { readonly namespace: string; readonly database: string },
  what: readonly ('namespace' | 'database')[],
): Promise<void> {
  const [ns, dbName] = [quoteIdentifier(names.namespace), quoteIdentifier(names.database)]
  const statements = [
    ...(what.includes('namespace') ? [`DEFINE NAMESPACE IF NOT EXISTS ${ns}`] : []),
    `USE NS ${ns}`,
    ...(what.includes('database') ? [`DEFINE DATABASE IF NOT EXISTS ${dbName}`] : []),
    `USE NS ${ns} DB ${dbName}`,
  ]
  await retryable(async () => await db.query(statements.join('; ')))
}

function untilAborted(signal: AbortSignal, unless: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: unless })
  })
}
