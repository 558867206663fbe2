/**
 * How the official SDK talks to a server of ours: its own protocol (`RpcEngine`) over a connection that belongs to the lease. The
 * SDK's `WebSocketEngine` 2.0.8 does the same for a server that is always there; what it does when it is not, and what this does:
 *
 *   dials a stranger and sends it the token          → no byte before the listener was proven
 *   gives up after five attempts, or for good when    → dials until it is closed; an error of ours (no credentials yet) is a
 *     one attempt to restore the session fails          reason to dial again
 *   a connection that dies while the session is       → each call is sent once on a connection
 *     restored makes it send all pending calls twice
 *   sends a call again as often as the server dies    → three times
 *   close() never settles pending calls, waits 30 s   → rejects them, waits half a second, leaves no timer
 *     for a hung server, leaves a timer of up to 60 s
 *   connect() never settles if nobody is there        → `failed` tells
 *   a live query of `LIVE SELECT` just falls silent   → its iterator ends with its connection
 *   a live query of `live()` is not renewed when      → is asked for again, twenty times
 *     another client's gets in its way
 *   a transaction that failed on a conflict says no   → its first error has the conflict as its cause
 *     more than that it failed
 */
import {
  type BoundQuery,
  ChannelIterator,
  type ConnectionState,
  ConnectionUnavailableError,
  type DriverContext,
  type EngineEvents,
  Features,
  LiveDispatcher,
  type LiveMessage,
  type NamespaceDatabase,
  type Nullable,
  Publisher,
  parseRpcError,
  type QueryChunk,
  RpcEngine,
  type RpcErrorObject,
  type RpcRequest,
  type Session,
  type SurrealEngine,
  UnexpectedServerResponseError,
  type Uuid,
} from 'surrealdb'
import type { WebSocket } from 'ws'
import { systemTrouble } from '../drivers/surreal-data.ts'
import type { ProveServer } from '../identity/proven-dial.ts'
import { Backoff } from './backoff.ts'
import { Calls } from './calls.ts'
import { nameCauses } from './failed-transaction.ts'
import { liveMessage } from './live-message.ts'
import { openProvenSocket } from './proven-socket.ts'
import { retryable } from './retryable.ts'
import { keepAsking } from './silence.ts'

export interface EngineOptions {
  readonly prove: ProveServer
  /** See `ConnectionOptions`. */
  readonly pingMs?: number
  /** A connection was lost, or could not be made; it is dialled again. */
  readonly onDropped: (error: Error) => void
  /** Over, for `error` or because it was closed. Called once; the engine never connects again. */
  readonly onEnded: (error: Error | undefined) => void
  /** Asked when the engine is closed. */
  readonly whyClosed: () => Error | undefined
}

/** From the open connection to the restored session. */
const RESTORE_MS = 30_000
/** A server that is stopped does not take part in closing. */
const CLOSE_MS = 500
const PING_MS = 30_000

/** What the SDK calls to restore a session, and only then while it is not yet restored. */
const RESTORING: ReadonlySet<string> = new Set([
  'version',
  'attach',
  'use',
  'let',
  'authenticate',
  'refresh',
  'signin',
  'invalidate',
])

const LIVE = /^\s*LIVE\s/i

type Phase = 'down' | 'restoring' | 'up' | 'closed'

export class LeaseEngine extends RpcEngine implements SurrealEngine {
  readonly features: SurrealEngine['features'] = new Set(Object.values(Features))
  readonly #options: EngineOptions
  readonly #publisher = new Publisher<EngineEvents>()
  readonly #calls = new Calls()
  readonly #backoff = new Backoff()
  readonly #live = new Map<ChannelIterator<LiveMessage>, () => void>()
  #dispatcher = new LiveDispatcher()
  #phase: Phase = 'down'
  #wasUp = false
  #socket: WebSocket | undefined
  /** Why we end the present connection. */
  #reason: Error | undefined
  #closing: Promise<void> | undefined

  constructor(context: DriverContext, options: EngineOptions) {
    super(context)
    this.#options = options
  }

  subscribe<K extends keyof EngineEvents>(event: K, listener: (...payload: EngineEvents[K]) => void): () => void {
    return this.#publisher.subscribe(event, listener)
  }

  /** The connection on which the session is being restored now: what is asked for on one is worth nothing on the next. */
  get restoring(): object | undefined {
    return this.#phase === 'restoring' ? this.#socket : undefined
  }

  open(state: ConnectionState): void {
    this._state = { ...state, url: new URL(state.url) }
    void this.#dial()
  }

  /** Dials another URL from now on, or this one without waiting; what is restored and what is pending stays. */
  redial(url: URL): void {
    if (this._state === undefined || this.#phase === 'closed') return
    const moved = url.href !== this._state.url.href
    this._state = { ...this._state, url }
    if (moved) this.drop(new Error(`the server has moved to ${url.host}`))
    this.#backoff.reset()
    this.#backoff.wake()
  }

  /** Ends the present connection; the next one is dialled. */
  drop(error: Error): void {
    this.#reason ??= error
    this.#socket?.terminate()
  }

  /** Called by the SDK once the session is restored. */
  ready(): void {
    if (this.#phase !== 'restoring' || this.#socket === undefined) return
    this.#phase = 'up'
    this.#wasUp = true
    this.#backoff.reset()
    this.#calls.sendAll(this.#socket)
  }

  async send<Method extends string, Params extends unknown[] | undefined, Result>(
    request: RpcRequest<Method, Params>,
  ): Promise<Result> {
    if (this.#phase === 'closed') throw new ConnectionUnavailableError()
    const id = this._context.uniqueId()
    const bytes = this._context.codecs.cbor.encode({ id, ...request })
    const restoring = this.#phase === 'restoring' && RESTORING.has(request.method)
    const answer = this.#calls.add(id, bytes, { restoring })
    if (this.#socket !== undefined && (restoring || this.#phase === 'up')) this.#calls.send(id, this.#socket)
    return (await answer) as Result
  }

  /** The first clients of a namespace get in each other's way. */
  override async use(what: Nullable<NamespaceDatabase>, session: Session): Promise<NamespaceDatabase> {
    const connection = this.restoring
    try {
      return await retryable(() => super.use(what, session))
    } catch (error) {
      if (connection === undefined) throw error
      return await this.#notNow(error, connection)
    }
  }

  /**
   * It writes, what it names may be missing. What the system refuses the server then (its disk is full) is no answer about the session: it is restored
   * on a later connection. The promise then never settles, as that of a sign-in without credentials.
   */
  #notNow(error: unknown, connection: object): Promise<never> {
    const trouble = systemTrouble(String(error), `${this._state?.url}`, 'use the database at')
    if (trouble === undefined) throw error
    if (!this.#wasUp) throw trouble
    if (this.restoring === connection) this.drop(trouble)
    return new Promise(() => {})
  }

  /**
   * The same with those that begin, or after a crash renew, a live query on one table: each writes to the table's definition.
   * Only these are sent again: one that lost has done nothing, and at a renewal nobody hears of its failure. What else fails
   * is the program's to repeat, because only the program knows what it means to do twice.
   */
  override async *query<T>(query: BoundQuery, session: Session, txn?: Uuid): AsyncGenerator<QueryChunk<T>> {
    const all = async (): Promise<readonly QueryChunk<T>[]> => {
      const chunks: QueryChunk<T>[] = []
      // They come all at once anyway.
      for await (const chunk of super.query<T>(query, session, txn)) chunks.push(chunk)
      nameCauses(chunks)
      return chunks
    }
    if (txn !== undefined || !LIVE.test(query.query)) {
      yield* await all()
      return
    }
    const connection = this.#socket
    yield* await retryable(
      async () => {
        const chunks = await all()
        // Of several statements the others have been carried out.
        const [only] = chunks
        if (chunks.length === 1 && only?.error !== undefined) throw only.error
        return chunks
      },
      // On another connection the SDK itself renews it; with ours there would be two.
      () => this.#socket === connection,
    )
  }

  liveQuery(id: Uuid): AsyncIterable<LiveMessage> {
    const channel = new ChannelIterator<LiveMessage>(() => {
      this.#live.get(channel)?.()
      this.#live.delete(channel)
    })
    this.#live.set(
      channel,
      this.#dispatcher.subscribe(id.toString(), (message) => channel.submit(message)),
    )
    return channel
  }

  /** Also called by the SDK itself, when restoring the session has failed for a reason that the server gave. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const error = this.#options.whyClosed()
    const socket = this.#socket
    const open = socket !== undefined && this.#phase !== 'down'
    this.#phase = 'closed'
    this.#backoff.wake()
    this.#calls.end()
    if (socket !== undefined) await (open ? closeSocket(socket) : socket.terminate())
    this.#endLive()
    this._state = undefined
    this.#publish('disconnected')
    this.#options.onEnded(error)
  }

  async #dial(): Promise<void> {
    while (this.#phase !== 'closed' && this._state !== undefined) {
      const error = await this.#connectOnce(this._state.url)
      this.#socket = undefined
      if (this.isClosed()) return
      this.#phase = 'down'
      this.#calls.forgetRestoring()
      this.#endLive()
      if (!this.#wasUp) return this.#fail(error)
      this.#publish('reconnecting')
      this.#options.onDropped(error)
      await this.#backoff.pause()
    }
  }

  /** One connection: resolves with why it ended. */
  #connectOnce(url: URL): Promise<Error> {
    return new Promise((resolve) => {
      this.#reason = undefined
      let restoring: NodeJS.Timeout | undefined
      const { pingMs } = this.#options
      const socket = openProvenSocket(url, this.#options.prove)
      this.#socket = socket
      // For connections through others' machines; within one they cost nothing. Not the SDK's call, whose failure nobody handles.
      keepAsking(socket, pingMs ?? PING_MS, () => {
        if (pingMs !== undefined) this.drop(new Error(`${url.host} has not answered for ${2 * pingMs} ms`))
      })
      socket.on('open', () => {
        if (this.isClosed()) return socket.terminate()
        this.#phase = 'restoring'
        restoring = setTimeout(() => {
          if (this.restoring === socket) this.drop(new Error(`${url.host} does not answer`))
        }, RESTORE_MS)
        this.#publish('connected')
      })
      socket.on('message', (data: Buffer) => {
        try {
          this.#receive(data)
        } catch (error) {
          this.drop(error as Error)
        }
      })
      socket.on('error', (error) => {
        this.#reason ??= error
      })
      socket.on('close', (code) => {
        clearTimeout(restoring)
        resolve(this.#reason ?? new Error(`${url.host} closed the connection (${code})`))
      })
    })
  }

  #receive(data: Buffer): void {
    const message = this._context.codecs.cbor.decode<{
      readonly id?: unknown
      readonly result?: unknown
      readonly error?: RpcErrorObject
    }>(data)
    if (typeof message?.id === 'string') {
      const { error, result } = message
      this.#calls.settle(message.id, (call) =>
        error === undefined || error === null ? call.resolve(result) : call.reject(parseRpcError(error)),
      )
      return
    }
    const live = liveMessage(message?.result)
    if (live === undefined) throw new UnexpectedServerResponseError(message)
    this.#dispatcher.dispatch(live.queryId.toString(), live)
  }

  #fail(error: Error): void {
    this.#phase = 'closed'
    this.#closing = Promise.resolve()
    this.#calls.end()
    this._state = undefined
    this.#publish('disconnected')
    this.#options.onEnded(error)
  }

  #endLive(): void {
    for (const [channel, unsubscribe] of this.#live) {
      unsubscribe()
      channel.cancel()
    }
    this.#live.clear()
    this.#dispatcher = new LiveDispatcher()
  }

  /** A function, because TypeScript takes `#phase` for what it was before an await. */
  isClosed(): boolean {
    return this.#phase === 'closed'
  }

  #publish(event: 'connected' | 'reconnecting' | 'disconnected'): void {
    try {
      this.#publisher.publish(event)
    } catch {
      // A listener of the program threw. The SDK passes that on to whoever published, who is a socket here.
    }
  }
}

function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.close()
  })
}
