import { encodeArray, encodeMap, encodeUuid, NONE, readElements, uuidOf } from './cbor.ts'
import type { Answer, Engine } from './engine.ts'
import { asReal } from './engine-errors.ts'
import { ruleFor } from './gate.ts'
import { type LiveQueries, liveStatements, refuseLiveStatements } from './live-queries.ts'
import { wrongParams } from './params-check.ts'
import { isTooDeepQuery, SHORT_BYTES } from './query-guard.ts'
import { streamFrames } from './query-stream.ts'
import { QueryStreams } from './query-streams.ts'
import { ReadingOrder } from './reading-order.ts'
import {
  anonymousNotAllowed,
  expressionTooDeep,
  internal,
  invalidParams,
  liveQueryNotSupported,
  methodNotAllowed,
  methodNotFound,
  sessionExpired,
  sessionNotFound,
  streamNeedsId,
  tooManyTransactions,
} from './rpc-errors.ts'
import { type RpcRequest, readRequest } from './rpc-request.ts'
import { isOver, type Session } from './session.ts'
import { signIn, signOut, use } from './session-changes.ts'
import { MAX_SESSIONS_A_CONNECTION, Sessions } from './sessions.ts'

/** As the real server, of one session. Each keeps a snapshot of the database, */
const MAX_TRANSACTIONS_A_SESSION = 64
/** so a connection cannot have that many for each of its sessions. */
const MAX_TRANSACTIONS = 1_024

/** Methods that the real server knows by name even where it has them not: built without them, or over HTTP. */
const NOT_BUILT_IN: ReadonlySet<string> = new Set(['gql', 'graphql', 'query_cancel', 'query_stream'])

export interface RpcClientOptions {
  readonly engine: Engine
  /** The session ids in use in the engine, of all clients. */
  readonly engineIds: Set<string>
  /**
   * Left out for a single HTTP request: nothing that would have to outlive it can be called then, and live queries are
   * refused as the real server does.
   */
  readonly connection?: {
    readonly live: LiveQueries
    /** Sends a notification to this client. */
    readonly deliver: (frame: Buffer) => void
  }
  /** The sessions that are not its own: those over HTTP, which outlive the request that attached them. */
  readonly lasting?: Sessions
  /** So many lists, maps and tags in each other may be in a request; left out: whoever made it has seen to it. */
  readonly levels?: number
  /** The client's own name for the session it begins with, a UUID. It gets another one if that is in use. */
  readonly id?: string
  /** Done with the first session before anything is called in it. */
  readonly prepare?: (session: Session) => Promise<void>
}

/** One client on a connection: its sessions, transactions and live queries. All of it ends with `close()`. */
export class RpcClient {
  readonly #options: RpcClientOptions
  readonly #sessions: Sessions
  /** By the session that began it, and with whose end it ends. Every session of the client may use it. */
  readonly #transactions = new Map<string, Session>()
  readonly #streams = new QueryStreams()
  readonly #begun: Promise<Session>
  readonly #reading = new ReadingOrder()

  constructor(options: RpcClientOptions) {
    this.#options = options
    const { engine, engineIds, connection } = options
    this.#sessions = new Sessions(engine, engineIds, MAX_SESSIONS_A_CONNECTION, connection?.live)
    this.#begun = this.#begin()
  }

  async #begin(): Promise<Session> {
    const session = await this.#sessions.begin(this.#options.id)
    await this.#options.prepare?.(session)
    return session
  }

  /** The session that requests without a session use. */
  first(): Promise<Session> {
    return this.#begun
  }

  /** Answers one request, itself encoded, with one encoded response, or with those of a stream in their order. Never rejects. */
  async handle(frame: Buffer): Promise<Buffer | readonly Buffer[]> {
    const read = this.#reading.next(() => readRequest(frame, this.#options.levels))
    const request = read instanceof Promise ? await read : read
    if ('error' in request) return encodeMap([['error', request.error]])
    if (request.method === 'query_stream' && this.#options.connection !== undefined) return await this.#stream(request)
    return responseTo(request, await this.call(request))
  }

  async #stream(request: RpcRequest): Promise<Buffer | readonly Buffer[]> {
    const { id } = request
    const began = performance.now()
    const refused = id === undefined ? streamNeedsId() : this.#streams.begin(id)
    if (id === undefined || refused !== undefined) return responseTo(request, { error: refused ?? streamNeedsId() })
    try {
      const answer = await this.call({ ...request, method: 'query' })
      if ('error' in answer) return responseTo(request, answer)
      const frames = streamFrames(answer.result, performance.now() - began)
      return frames.map((result) => responseTo(request, { result }))
    } finally {
      this.#streams.end(id)
    }
  }

  /** Never rejects. */
  async call(request: RpcRequest): Promise<Answer> {
    return asReal(request.method, await this.#answer(request).catch(internalError))
  }

  /** Waits for the calls in flight, then removes everything the client had in the engine. */
  async close(): Promise<void> {
    await this.#begun
    await this.#sessions.close()
    await this.#cancelTransactions()
  }

  async #answer(request: RpcRequest): Promise<Answer> {
    await this.#begun
    const { method } = request
    if (this.#options.lasting !== undefined && method !== 'attach' && this.#find(request.session) === undefined)
      return { error: sessionNotFound(request.session ?? '') }
    if (method === 'query_cancel' && this.#options.connection !== undefined) return this.#streams.cancel(request.params)
    const rule = ruleFor(method)
    if (rule === undefined) return { error: methodNotFound(NOT_BUILT_IN.has(method) ? method : 'unknown') }
    if (rule.session === 'none') return await this.#answerPlain(request)
    const session = this.#find(request.session)
    if (session === undefined) return { error: sessionNotFound(request.session ?? '') }
    if (rule.session === 'changed') return await session.order.alone(() => this.#change(session, request))
    return await session.order.shared(() => this.#callData(session, request))
  }

  /** Over HTTP a session that somebody has signed in to is there for the same user alone: its name is no secret. */
  #find(clientId: string | undefined): Session | undefined {
    const { lasting } = this.#options
    if (clientId === undefined || lasting === undefined) return this.#sessions.get(clientId)
    const found = lasting.get(clientId)
    const actor = this.#sessions.get(undefined)?.identity?.actor
    return found?.identity === undefined || found.identity.actor === actor ? found : undefined
  }

  async #answerPlain({ method, params, session }: RpcRequest): Promise<Answer> {
    if (this.#options.connection === undefined) {
      if (method === 'begin' || method === 'commit' || method === 'cancel') return { error: methodNotFound(method) }
      if (method === 'sessions') return { error: methodNotAllowed(method) }
    }
    switch (method) {
      case 'ping':
        return { result: NONE }
      case 'attach':
        return await (this.#options.lasting ?? this.#sessions).attach(session)
      case 'detach':
        return await this.#detach(session)
      case 'sessions':
        return this.#sessions.list()
      case 'begin':
        return await this.#beginTransaction(session)
      case 'commit':
      case 'cancel':
        return await this.#endTransaction(method, params)
      default: {
        const { engineId } = await this.#begun
        return await this.#options.engine.call({ method, params, session: engineId })
      }
    }
  }

  async #change(session: Session, { method, params }: RpcRequest): Promise<Answer> {
    const { engine } = this.#options
    switch (method) {
      case 'use':
        return await use(engine, session, params)
      case 'invalidate': {
        const answer = await signOut(engine, session, method)
        await this.#sessions.endLive(session)
        return answer
      }
      case 'reset': {
        const answer = await signOut(engine, session, method)
        await this.#sessions.forgetLive(session)
        await this.#cancelTransactions(session)
        return answer
      }
      case 'signin':
      case 'signup':
      case 'authenticate':
      case 'refresh': {
        const before = session.identity?.actor
        const answer = await signIn(engine, session, method, params)
        // What one user may see another one is not told.
        if (session.identity?.actor !== before) await this.#sessions.endLive(session)
        return answer
      }
      default:
        return await engine.call({ method, params, session: session.engineId })
    }
  }

  async #callData(session: Session, request: RpcRequest): Promise<Answer> {
    const { method, params, txn } = request
    const { engine, connection } = this.#options
    const wrong = session.identity === undefined ? await wrongParams(engine, method, params) : undefined
    if (wrong !== undefined) return { error: wrong }
    if (txn !== undefined && !ruleFor(method)?.outside && !this.#transactions.has(txn))
      return { error: connection === undefined ? methodNotAllowed('unknown') : invalidParams('Transaction not found') }
    if (session.identity === undefined)
      return { error: isOver(session.until) ? sessionExpired() : anonymousNotAllowed() }
    if (method === 'query' && params.length > SHORT_BYTES && (await isTooDeepQuery(params)))
      return { error: expressionTooDeep() }
    if ((method === 'live' || method === 'kill') && connection === undefined) return { error: liveQueryNotSupported() }
    const answer = await engine.call({ method, params, session: session.engineId, ...(txn !== undefined && { txn }) })
    if (!('result' in answer) || (method !== 'query' && method !== 'live')) return answer
    if (connection === undefined) return { result: refuseLiveStatements(answer.result) }
    const { live, deliver } = connection
    if (method === 'live') {
      const id = uuidOf(answer.result)
      if (id !== undefined)
        live.add(id, { session, deliver, made: txn === undefined ? 'for sure' : 'perhaps, in a transaction' })
    } else {
      const made = liveStatements(answer.result, txn === undefined ? 'outside' : 'in a transaction')
      for (const statement of made) live.add(statement.id, { session, deliver, made: statement.made })
    }
    return answer
  }

  async #beginTransaction(clientId: string | undefined): Promise<Answer> {
    const session = this.#sessions.get(clientId)
    if (session === undefined) return { error: sessionNotFound(clientId ?? '') }
    // As a call of the session, because close() waits for those: one that is begun later would never be cancelled.
    return await session.order.shared(async () => {
      const own = [...this.#transactions.values()].filter((of) => of === session).length
      if (own >= MAX_TRANSACTIONS_A_SESSION || this.#transactions.size >= MAX_TRANSACTIONS)
        return { error: tooManyTransactions() }
      const answer = await this.#options.engine.call({ method: 'begin' })
      const txn = 'result' in answer ? uuidOf(answer.result) : undefined
      if (txn !== undefined) this.#transactions.set(txn, session)
      return answer
    })
  }

  async #endTransaction(method: 'commit' | 'cancel', params: Buffer): Promise<Answer> {
    const last = readElements(params).at(-1)
    const txn = last === undefined ? undefined : uuidOf(last)
    if (txn === undefined) return { error: invalidParams('Expected transaction UUID') }
    // The engine has one space of names for all: a transaction of somebody else is none of ours.
    if (!this.#transactions.has(txn)) return { error: invalidParams('Transaction not found') }
    return await this.#finish(method, txn)
  }

  async #detach(clientId: string | undefined): Promise<Answer> {
    const session = clientId === undefined ? undefined : this.#sessions.get(clientId)
    const answer = await (this.#options.lasting ?? this.#sessions).detach(clientId)
    if (session !== undefined) await this.#cancelTransactions(session)
    return answer
  }

  /** Of one session, or all. */
  async #cancelTransactions(of?: Session): Promise<void> {
    const ended = [...this.#transactions].filter(([, session]) => of === undefined || session === of)
    await Promise.all(ended.map(([txn]) => this.#finish('cancel', txn)))
  }

  async #finish(method: 'commit' | 'cancel', txn: string): Promise<Answer> {
    this.#transactions.delete(txn)
    return await this.#options.engine.call({ method, params: encodeArray([encodeUuid(txn)]) })
  }
}

/** The response to one request, encoded. The real server reads a request as a whole, so one that it cannot read has no id. */
export function responseTo({ id, session }: RpcRequest, answer: Answer): Buffer {
  if ('error' in answer && answer.lost === 'request') return encodeMap([['error', answer.error]])
  return encodeMap([
    ...('error' in answer ? [['error', answer.error] as const] : []),
    ...(id === undefined ? [] : [['id', id] as const]),
    ...('result' in answer ? [['result', answer.result] as const] : []),
    ...(session === undefined ? [] : [['session', encodeUuid(session)] as const]),
  ])
}

/** A fault of ours: whoever asked is told, and nobody else is disturbed. */
function internalError(cause: unknown): Answer {
  return { error: internal(cause instanceof Error ? cause.message : String(cause)) }
}
