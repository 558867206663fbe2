import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { unlessAborted } from '@procref/core'
import {
  type Credentials,
  type Endpoint,
  PortTakenError,
  type RunningServer,
  type ServerDetails,
  type ServerEnd,
  ServerExitedError,
} from '@procref/lifecycle'
import { WebSocketServer } from 'ws'
import { type HttpContext, refusal } from './as-client.ts'
import { ClientStream } from './client-stream.ts'
import { connectionId } from './connection-id.ts'
import { beginConversation, subprotocolFor, takesWebSockets } from './conversations.ts'
import { checkCommit, checkPulse, prepareDatabase } from './database.ts'
import { Engine, type EngineOptions } from './engine.ts'
import { FOREIGN_REQUEST, isLocalRequest } from './host-guard.ts'
import { badRequest, type HttpAnswer, notReady, send, text } from './http-answer.ts'
import { hasProof } from './http-client.ts'
import { answerHttp } from './http-routes.ts'
import { LiveQueries } from './live-queries.ts'
import { LogSync } from './log-sync.ts'
import { Sessions } from './sessions.ts'
import { UnfinishedMessages } from './unfinished-messages.ts'
import { MAX_MESSAGE_BYTES, WsConnection } from './ws-connection.ts'

export interface ServerOptions extends Endpoint, EngineOptions {
  readonly credentials: Credentials
  /** The database is one of RocksDB at `path`, which the engine does not sync: so often its logs are synced for it. */
  readonly syncLogsEveryMs?: number | undefined
  /** Gets a line for the server's log now and then. Must not throw. */
  readonly log: (line: string) => void
}

/** Of all clients together: so much is kept of messages that have not arrived in full. */
const MAX_UNFINISHED_BYTES = 4 * MAX_MESSAGE_BYTES

/** Nothing but a call ends them. */
const MAX_HTTP_SESSIONS = 4_096

/** After being told to stop: calls in flight may finish, and clients take part in the closing, for so long. */
const GRACE_MS = 5_000

/**
 * Binds the port, then begins to open the database: who finds the port taken (`PortTakenError`) has touched no data. Until
 * the database is open every request is answered with 503.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new EmbeddedServer(options)
  await server.listen()
  server.open()
  return server
}

/** The engine served over ws:// and http:// on one port. */
class EmbeddedServer implements RunningServer {
  readonly pid: number = process.pid
  readonly ended: Promise<ServerEnd>
  readonly #options: ServerOptions
  // As the real server: a connection that a client keeps for later is not closed in the moment in which it is used again.
  readonly #http = createServer({ keepAliveTimeout: 0 })
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    // Frames are read as bytes, whatever their type says; the request in them is checked.
    skipUTF8Validation: true,
    handleProtocols: subprotocolFor,
  })
  readonly #connections = new Set<WsConnection>()
  readonly #unfinished = new UnfinishedMessages(MAX_UNFINISHED_BYTES)
  readonly #live = new LiveQueries()
  readonly #hurry = new AbortController()
  #engine: Engine | undefined
  #logSync: LogSync | undefined
  /** While clients are served. */
  #context: HttpContext | undefined
  /** Settles when clients are served, or never will be. */
  readonly #opened: Promise<ServerDetails>
  #settleOpened: (outcome: Promise<ServerDetails>) => void = () => {}
  /** The question of `healthy` that is under way: a hung engine is not asked again and again. */
  #pulse: Promise<void> | undefined
  #stopping = false
  #end: (end: ServerEnd) => void = () => {}

  constructor(options: ServerOptions) {
    this.#options = options
    this.#opened = new Promise((resolve) => {
      this.#settleOpened = resolve
    })
    // Who waits in ready() hears of it; and nothing is served that never opened.
    this.#opened.catch((error) => void this.#stop(error))
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => {
        reject(error.code === 'EADDRINUSE' ? new PortTakenError({ host, port }, { cause: error }) : error)
      })
      this.#http.listen({ host, port, exclusive: true }, resolve)
    })
    this.#http.on('error', (error) => this.#options.log(`listener: ${error.message}`))
    this.#http.on('request', (request, response) => void this.#answer(request, response))
    this.#http.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head))
  }

  open(): void {
    this.#settleOpened(this.#open())
  }

  async ready({ signal }: { readonly signal: AbortSignal }): Promise<ServerDetails> {
    return await unlessAborted(this.#opened, signal)
  }

  async healthy({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    const engine = this.#context?.engine
    if (engine === undefined) throw new Error('no database is open')
    this.#pulse ??= checkPulse(engine).finally(() => {
      this.#pulse = undefined
    })
    await unlessAborted(this.#pulse, signal)
  }

  refusedWrite(): string | undefined {
    return this.#context?.engine.takeRefusal()
  }

  async commits({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    const engine = this.#context?.engine
    if (engine === undefined) throw new Error('no database is open')
    await unlessAborted(checkCommit(engine, signal), signal)
  }

  terminate(): void {
    if (this.#stopping) this.#hurry.abort()
    else void this.#stop()
  }

  /** It lives in the caller's process and ends with it. */
  kill(): void {}

  async #open(): Promise<ServerDetails> {
    const { endpoint, network, experimental, path, credentials, syncLogsEveryMs, log } = this.#options
    const began = performance.now()
    const engine = await Engine.open({ endpoint, network, experimental, path }, (notification) =>
      this.#live.notify(notification),
    )
    this.#engine = engine
    if (syncLogsEveryMs !== undefined) this.#logSync = new LogSync(path, syncLogsEveryMs, log)
    if (!this.#stopping) await prepareDatabase(engine, credentials, path)
    if (this.#stopping) throw new ServerExitedError({ code: 0, signal: null }, 'its database to open')
    const engineIds = new Set<string>()
    this.#context = { engine, engineIds, httpSessions: new Sessions(engine, engineIds, MAX_HTTP_SESSIONS) }
    log(`SurrealDB engine ${engine.version} serves ${path} after ${Math.round(performance.now() - began)} ms`)
    return { version: engine.version }
  }

  /**
   * Stops listening, lets what is in flight finish, disconnects, closes the database. `hurry`, after a while or when told
   * a second time, gives up the waiting; a query that still runs then ends with the process.
   */
  async #stop(failure?: unknown): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const hurry = this.#hurry.signal
    const timer = setTimeout(() => this.#hurry.abort(), GRACE_MS)
    const hurried = new Promise<void>((resolve) => hurry.addEventListener('abort', () => resolve(), { once: true }))
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.closeIdleConnections()
    await Promise.race([this.#opened.catch(() => {}), hurried])
    const disconnected = Promise.all([...this.#connections].map((connection) => connection.close(hurry)))
    await Promise.race([Promise.all([disconnected, closed]), hurried])
    this.#context = undefined
    this.#http.closeAllConnections()
    await closed
    const how = await this.#engine?.close(hurry)
    await this.#logSync?.stop()
    clearTimeout(timer)
    if (how === 'left-open') this.#options.log('stopped with calls still in flight; they end with the process')
    const error = failure instanceof Error ? failure : undefined
    this.#end({ code: failure === undefined ? 0 : 1, signal: null, ...(error !== undefined && { error }) })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client has gone; there is nobody to tell.
    response.on('error', () => {})
    // A page that may not ask may not read why, either.
    const cutOff = ({ message }: Error): void => this.#options.log(`${request.url} was cut off: ${message}`)
    if (!isLocalRequest(request)) return send(response, text(403, FOREIGN_REQUEST), {}, cutOff)
    const answer = await this.#answerTo(request)
    send(response, answer, this.#commonHeaders(request, answer), cutOff)
  }

  async #answerTo(request: IncomingMessage): Promise<HttpAnswer> {
    if (this.#context === undefined) return notReady()
    try {
      return await answerHttp(this.#context, request)
    } catch (error) {
      // A fault of ours: this client is told, and nobody else is disturbed.
      return text(500, `${error instanceof Error ? error.message : String(error)}\n`)
    }
  }

  #commonHeaders({ headers, method }: IncomingMessage, { unnamed }: HttpAnswer): Readonly<Record<string, string>> {
    const { version } = this.#engine ?? {}
    const { 'x-request-id': id = randomUUID() } = headers
    const always = { 'access-control-allow-origin': '*', vary: VARY, 'x-request-id': String(id) }
    if (method === 'OPTIONS') return { ...always, ...PREFLIGHT }
    return {
      ...always,
      'access-control-expose-headers': 'retry-after',
      ...(unnamed === undefined && { server: 'SurrealDB' }),
      ...(unnamed === undefined && version !== undefined && { 'surreal-version': `surrealdb/${version}` }),
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Reset before it was a WebSocket: there is nobody to tell.
    socket.on('error', () => {})
    const refused = await this.#refusedUpgrade(request)
    const context = this.#context
    if (refused !== undefined || context === undefined) return refuse(socket, refused ?? notReady())
    // What came with the request, so that it is looked at as what comes after it.
    if (head.length > 0) socket.unshift(head)
    const stream = new ClientStream(socket, { unfinished: this.#unfinished, maxMessageBytes: MAX_MESSAGE_BYTES })
    this.#sockets.handleUpgrade(request, stream, NOTHING, (webSocket) => {
      const converse = beginConversation(context, this.#live, request, webSocket.protocol)
      const connection = new WsConnection(webSocket, stream, converse)
      this.#connections.add(connection)
      void connection.ended.then(() => this.#connections.delete(connection))
    })
  }

  async #refusedUpgrade(request: IncomingMessage): Promise<HttpAnswer | undefined> {
    if (!isLocalRequest(request)) return text(403, FOREIGN_REQUEST)
    if (this.#context === undefined || this.#stopping) return notReady()
    if (!takesWebSockets(request)) return await answerHttp(this.#context, request)
    const id = connectionId(request.headers)
    const invalid = 'The request body contains invalid data'
    if (id === 'no UUID') return text(401, invalid)
    if (id !== undefined && this.#context.engineIds.has(id)) return badRequest(invalid)
    return hasProof(request.headers) ? await refusal(this.#context, request.headers) : undefined
  }
}

/** As the real server's. Any origin, because a foreign one has been refused before. */
const VARY = 'origin, access-control-request-method, access-control-request-headers'
const PREFLIGHT = {
  'access-control-allow-methods': 'GET,PUT,POST,PATCH,DELETE,OPTIONS',
  'access-control-allow-headers':
    'accept,accept-encoding,authorization,content-type,origin,surreal-ns,surreal-db,surreal-id,surreal-auth-ns,surreal-auth-db',
  'access-control-max-age': '86400',
}

const NOTHING = Buffer.alloc(0)

function refuse(socket: Duplex, { status, headers, body: said }: HttpAnswer): void {
  // Nothing else is said to who is refused.
  const body = typeof said === 'string' ? said : ''
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) })
  const head = [`HTTP/1.1 ${status} Refused`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
  socket.end(head + body)
}
