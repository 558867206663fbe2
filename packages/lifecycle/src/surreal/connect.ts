import type { Surreal } from 'surrealdb'
import type { KeptLease } from '../client/kept-lease.ts'
import type { LeasedServer, ReconnectEvent, ServiceLease } from '../client/lease.ts'
import { isUp, look } from '../client/look.ts'
import type { SharedServiceOptions } from '../client/options.ts'
import { ReconnectListeners } from '../client/reconnect-listeners.ts'
import { DEFAULT_TIMEOUT_MS, leaseService } from '../client/shared-service.ts'
import { pause } from '../delay.ts'
import type { Credentials } from '../driver.ts'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from '../drivers/default-database.ts'
import { CredentialsRefusedError } from '../drivers/errors.ts'
import { ConnectTimeoutError } from '../errors.ts'
import { connectExternal, type ExternalConnectOptions } from '../external/connect.ts'
import type { ExternalServer } from '../external/external-lease.ts'
import { fileTrouble } from '../file-trouble.ts'
import { readCredentials } from '../state/credentials.ts'
import { defaultDirectory, type Layout, layout } from '../state/layout.ts'
import { lastWords } from '../state/server-log.ts'
import { atMost } from './at-most.ts'
import { openConnection, type SurrealConnection } from './connection.ts'
import { areCredentialsUnusable, finalFailure, isWrongPassword, REFUSALS, REFUSED_MS } from './final-failure.ts'
import { describeWait, proveServer } from './proven-lease.ts'
import { loadSdk } from './sdk.ts'

export interface ConnectOptions extends SharedServiceOptions {
  /** Default `main`; made if missing. */
  readonly namespace?: string
  /** Default `main`; made if missing. */
  readonly database?: string
}

/** A share in the SurrealDB server, and a connection to it; `Lease<ExternalServer>`: in one elsewhere. */
export interface Lease<Server extends LeasedServer | ExternalServer = LeasedServer> extends ServiceLease<Server> {
  /** The official SDK's own object: connected, signed in, on its namespace and database. */
  readonly db: Surreal
  /** `ws://127.0.0.1:PORT/rpc`; of a server elsewhere its address. */
  readonly url: string
}

/**
 * One line to a working shared SurrealDB: `await using lease = await connect({ backend, driver })`.
 *
 * Guarantee: as `sharedService()`; and the password goes only to a listener that the kernel proves to be the recorded server
 * (Linux; elsewhere the file's permissions and the loopback address are all that protects it). A server that cannot be reached is tried
 * again until `timeoutMs` have passed; what waiting does not mend is told at once: `PROCREF_CREDENTIALS_MISSING`,
 * `PROCREF_CREDENTIALS_REFUSED`, `PROCREF_STATE_FILE_UNSAFE`, `PROCREF_SDK_UNAVAILABLE`, `PROCREF_TOO_MANY_OPEN_FILES`,
 * `PROCREF_DISK_FULL` and what else the system refuses.
 * Unspecified: whether a write in flight when the server died was carried out, once or twice.
 * Caller: close the lease, or just end.
 *
 * With `driver: external({ url, credentials })` the server is somebody else's: no guardian is launched, nothing is started or stopped; the
 * lease holds one of the slots of `dir`/external, which limit and count this machine's clients. A connection that is lost is made again, and
 * `onReconnect` called, until `timeoutMs` have passed without one: then `lost` fires. Errors, each after the slot was given back:
 * `PROCREF_SLOTS_EXHAUSTED`, `PROCREF_EXTERNAL_UNREACHABLE`, `PROCREF_EXTERNAL_REFUSED`, `PROCREF_EXTERNAL_TLS`,
 * `PROCREF_EXTERNAL_NOT_SURREALDB`, what the function for the credentials throws, and the signal's reason.
 */
export function connect(options: ConnectOptions): Promise<Lease>
export function connect(options: ExternalConnectOptions): Promise<Lease<ExternalServer>>
export function connect(options: ConnectOptions | ExternalConnectOptions): Promise<Lease<LeasedServer | ExternalServer>>
export async function connect(
  options: ConnectOptions | ExternalConnectOptions,
): Promise<Lease<LeasedServer | ExternalServer>> {
  return isExternal(options) ? await connectExternal(options) : await connectHere(options)
}

function isExternal(options: ConnectOptions | ExternalConnectOptions): options is ExternalConnectOptions {
  return options.driver.placement === 'elsewhere'
}

async function connectHere(options: ConnectOptions): Promise<Lease> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const began = performance.now()
  const paths = layout(options.dir ?? defaultDirectory())
  const lease = await leaseService(options)
  try {
    options.onProgress?.({ step: 'connecting', message: `connecting to ${urlOf(lease)}`, elapsedMs: 0 })
    const connection = await openUntil(lease, options, paths, began, timeoutMs)
    return new SurrealLease(lease, connection)
  } catch (error) {
    await lease.close()
    throw fileTrouble(error, paths.root)
  }
}

/** The server may die between our look and the connection: then the lease finds the next one. */
async function openUntil(
  lease: KeptLease,
  options: ConnectOptions,
  paths: Layout,
  began: number,
  timeoutMs: number,
): Promise<SurrealConnection> {
  const deadline = began + timeoutMs
  // What fails here fails for ever.
  await loadSdk()
  let last: unknown
  let refusals = 0
  for (;;) {
    const left = deadline - performance.now()
    if (left <= 0) {
      throw new ConnectTimeoutError(
        {
          dir: paths.root,
          timeoutMs,
          waitedFor: describeWait(lease, urlOf(lease), last),
          logTail: lastWords(paths.serverLog, 20),
        },
        { cause: last },
      )
    }
    const attempt = AbortSignal.timeout(Math.min(ATTEMPT_MS, Math.ceil(left)))
    try {
      return await openConnection({
        url: urlOf(lease),
        namespace: options.namespace ?? DEFAULT_NAMESPACE,
        database: options.database ?? DEFAULT_DATABASE,
        credentials: () => currentCredentials(options, paths),
        prove: (dialled) => proveServer(lease, dialled),
        signal: AbortSignal.any([attempt, lease.lost, ...(options.signal ? [options.signal] : [])]),
      })
    } catch (error) {
      options.signal?.throwIfAborted()
      lease.lost.throwIfAborted()
      refusals = isWrongPassword(error) ? refusals + 1 : 0
      if (refusals === REFUSALS) throw new CredentialsRefusedError(paths.database)
      const final = finalFailure(error, urlOf(lease))
      if (final !== undefined) throw final
      // That the time is over says less than what the attempt before came to.
      if (last === undefined || error !== attempt.reason) last = error
      options.onProgress?.({
        step: 'connecting',
        message: `waiting for ${describeWait(lease, urlOf(lease), error)}`,
        elapsedMs: performance.now() - began,
      })
      await atMost(lease.check(), deadline, options.signal)
      lease.lost.throwIfAborted()
      await pause(Math.min(refusals === 0 ? RETRY_MS : REFUSED_MS, deadline - performance.now()), options.signal)
    }
  }
}

const ATTEMPT_MS = 10_000
const RETRY_MS = 100

function currentCredentials(options: ConnectOptions, paths: Layout): Credentials {
  const view = look(options.backend.locks, paths)
  if (!isUp(view)) throw new Error(`no server is up in ${paths.root}; the lease waits for the next one`)
  return readCredentials(paths)
}

function urlOf(lease: KeptLease): string {
  return `ws://${lease.record.host}:${lease.record.port}/rpc`
}

class SurrealLease implements Lease {
  readonly #lease: KeptLease
  readonly #connection: SurrealConnection
  readonly #listeners = new ReconnectListeners<LeasedServer>()
  #url: string
  #closing: Promise<void> | undefined

  constructor(lease: KeptLease, connection: SurrealConnection) {
    this.#lease = lease
    this.#connection = connection
    this.#url = urlOf(lease)
    // With credentials that somebody has to mend it would be dialled for ever, and nobody be told.
    connection.onDropped((error) => (areCredentialsUnusable(error) ? lease.lose(error) : void lease.check()))
    connection.onEnded((error) => (error === undefined ? void this.close() : lease.lose(error)))
    lease.onReconnect((event) => void this.#reconnect(event))
    lease.lost.addEventListener('abort', () => void this.close(), { once: true })
  }

  get db(): Surreal {
    return this.#connection.db
  }
  get url(): string {
    return this.#url
  }
  get slot(): ServiceLease['slot'] {
    return this.#lease.slot
  }
  get epoch(): number {
    return this.#lease.epoch
  }
  get lost(): AbortSignal {
    return this.#lease.lost
  }
  get server(): ServiceLease['server'] {
    return this.#lease.server
  }

  onReconnect(listener: (event: ReconnectEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The connection dials its URL by itself, but does not know when there is somebody, nor a new port. Never rejects. */
  async #reconnect(event: ReconnectEvent): Promise<void> {
    const url = urlOf(this.#lease)
    try {
      this.#connection.redial(url)
      this.#url = url
      await this.#connection.whenConnected(this.#lease.lost)
      this.#listeners.tell(event)
    } catch (error) {
      if (!this.#lease.lost.aborted) this.#lease.lose(error)
    }
  }

  async #close(): Promise<void> {
    this.#listeners.clear()
    // The slot first: the server may stop as soon as nobody holds one, whatever the connection's end takes.
    await this.#lease.close()
    await this.#connection.close()
  }
}
