import { encodeArray, encodeMap, encodeUuid, encodeValue, readElements, readEntries, uuidOf } from './cbor.ts'
import { textOf } from './rpc-request.ts'
import { isOver, type Session } from './session.ts'

interface Subscription {
  readonly session: Session
  readonly deliver: (frame: Buffer) => void
  readonly made: LiveStatement['made']
  /** When the session in which it was begun is over, in seconds since 1970. */
  readonly until?: number
}

/**
 * The end of a live query waits so long. The engine announces it at once, and a change from a task of its own: one that was made before the end
 * came up to 2 ms after it, and a client, told of the end, listens no more.
 */
const END_WAITS_MS = 20

/** Whose live queries there are. The engine announces every change by the id of the query; this finds who asked. */
export class LiveQueries {
  readonly #subscriptions = new Map<string, Subscription>()

  /** Called before the client is told of its live query, so it gets every change made after the answer. */
  add(id: string, subscription: Omit<Subscription, 'until'>): void {
    const { until } = subscription.session
    this.#subscriptions.set(id, { ...subscription, ...(until !== undefined && { until }) })
  }

  /** Nobody is told of these any more; the caller has to see that they end in the engine, or they stay in the database. */
  forget(session: Session): readonly Pick<LiveStatement, 'id' | 'made'>[] {
    const of = [...this.#subscriptions].filter(([, subscription]) => subscription.session === session)
    for (const [id] of of) this.#subscriptions.delete(id)
    return of.map(([id, { made }]) => ({ id, made }))
  }

  /** Passes a notification of the engine on, the end of a live query a moment later. One that nobody asked for is dropped. */
  notify(notification: Buffer): void {
    const { id, action } = headOf(notification)
    const subscription = id === undefined ? undefined : this.#subscriptions.get(id)
    if (id === undefined || subscription === undefined) return
    if (action === 'KILLED') setTimeout(() => this.#end(id, subscription, notification), END_WAITS_MS)
    // Whoever may not ask any more is not told, either.
    else if (!isOver(subscription.until)) this.#pass(subscription, notification)
  }

  #end(id: string, subscription: Subscription, notification: Buffer): void {
    // Forgotten meanwhile, or told already.
    if (this.#subscriptions.get(id) !== subscription) return
    this.#subscriptions.delete(id)
    this.#pass(subscription, notification)
  }

  #pass(subscription: Subscription, notification: Buffer): void {
    const { clientId, engineId } = subscription.session
    const result = clientId === undefined || clientId === engineId ? notification : withSession(notification, clientId)
    subscription.deliver(
      encodeMap([['result', result], ...(clientId === undefined ? [] : [['session', encodeUuid(clientId)] as const])]),
    )
  }
}

/** The engine sorts the keys: what is needed comes before the data, which may be long. */
function headOf(notification: Buffer): { readonly id?: string; readonly action?: string } {
  let action: string | undefined
  for (const { key, value } of readEntries(notification)) {
    if (key === 'action') action = textOf(value)
    if (key !== 'id') continue
    const id = uuidOf(value)
    return { ...(id !== undefined && { id }), ...(action !== undefined && { action }) }
  }
  return {}
}

/** The client knows its session by another id than the engine. */
function withSession(notification: Buffer, session: string): Buffer {
  const entries = [...readEntries(notification)].map(({ key, value }) => {
    const isSession = key === 'session' && uuidOf(value) !== undefined
    return [key, isSession ? encodeUuid(session) : value] as const
  })
  return encodeMap(entries)
}

/** `"type": "live"` in the answer to one statement. May also occur in data, so a match has to be looked at closely. */
const LIVE_MARK = Buffer.concat([encodeValue('type'), encodeValue('live')])

/** One statement of an answer to `query` that made a live query. */
export interface LiveStatement {
  readonly index: number
  readonly id: string
  /** In a transaction the engine does not say of a UUID that it is a live query. Taking any for one does no harm. */
  readonly made: 'for sure' | 'perhaps, in a transaction'
}

/** The live queries that were made by the statements of one `query`. Costs next to nothing when there are none. */
export function liveStatements(result: Buffer, where: 'outside' | 'in a transaction'): readonly LiveStatement[] {
  const inTransaction = where === 'in a transaction'
  if (!inTransaction && !result.includes(LIVE_MARK)) return []
  return readElements(result).flatMap((statement, index) => {
    const fields = new Map([...readEntries(statement)].map(({ key, value }) => [key, value]))
    const value = fields.get('result')
    const isLive = textOf(fields.get('type')) === 'live'
    if (value === undefined || (!isLive && !inTransaction)) return []
    const id = uuidOf(value)
    return id === undefined ? [] : [{ index, id, made: isLive ? 'for sure' : 'perhaps, in a transaction' }]
  })
}

/** The engine's answer to a KILL of what is no live query of this client. */
const KILL_REFUSED = 'Cannot execute KILL statement'
const KILL_MARK = Buffer.from(KILL_REFUSED)

/** The answer without the live queries, as over HTTP, where nobody could be told of a change. They end with their session. */
export function refuseLiveStatements(result: Buffer): Buffer {
  const refused = new Set(liveStatements(result, 'outside').map(({ index }) => index))
  if (refused.size === 0 && !result.includes(KILL_MARK)) return result
  const statements = readElements(result).map((statement, index) => {
    const fields = new Map([...readEntries(statement)].map(({ key, value }) => [key, value]))
    const time = fields.get('time')
    const isKill = textOf(fields.get('status')) === 'ERR' && textOf(fields.get('result'))?.startsWith(KILL_REFUSED)
    if (time === undefined || (!refused.has(index) && !isKill)) return statement
    return encodeMap([
      ['details', encodeValue({ kind: 'LiveQueryNotSupported' })],
      ['kind', encodeValue('Configuration')],
      ['result', encodeValue('Unable to perform the realtime query')],
      ['status', encodeValue('ERR')],
      ['time', time],
      ['type', encodeValue(isKill ? 'kill' : 'live')],
    ])
  })
  return encodeArray(statements)
}
