import { randomUUID } from 'node:crypto'
import { encodeArray, encodeUuid, NONE } from './cbor.ts'
import type { Answer, Engine } from './engine.ts'
import type { LiveQueries } from './live-queries.ts'
import { invalidParams, methodNotAllowed, sessionExists } from './rpc-errors.ts'
import { newSession, type Session } from './session.ts'

/** As the real server, with the one that a connection begins with. Each costs memory in the engine until it ends. */
export const MAX_SESSIONS_A_CONNECTION = 256

/** The session that a connection begins with. */
const FIRST = ''

/**
 * The sessions of one connection. Isolated: a client's name for a session means nothing on another connection, although the
 * engine has one space of names for all.
 */
export class Sessions {
  readonly #engine: Engine
  readonly #live: LiveQueries | undefined
  readonly #most: number
  /** The names in use in the engine, of all connections. */
  readonly #engineIds: Set<string>
  readonly #sessions = new Map<string, Session>()

  constructor(engine: Engine, engineIds: Set<string>, most: number, live?: LiveQueries) {
    this.#engine = engine
    this.#engineIds = engineIds
    this.#most = most
    this.#live = live
  }

  /** Makes the session that requests without a session use. Queries see its id as `$session.id`. */
  async begin(wantedId?: string): Promise<Session> {
    const session = newSession(undefined, this.#newEngineId(wantedId))
    this.#sessions.set(FIRST, session)
    await this.#engine.call({ method: 'attach', session: session.engineId })
    return session
  }

  get(clientId: string | undefined): Session | undefined {
    return this.#sessions.get(clientId ?? FIRST)
  }

  async attach(clientId: string | undefined): Promise<Answer> {
    if (clientId === undefined) return { error: invalidParams('Expected a session ID') }
    if (this.#sessions.has(clientId)) return { error: sessionExists(clientId) }
    if (this.#sessions.size >= this.#most) return { error: methodNotAllowed('attach') }
    // The client's own id where that can be: queries see it as `$session.id`.
    const session = newSession(clientId, this.#newEngineId(clientId))
    this.#sessions.set(clientId, session)
    return await session.order.alone(() => this.#engine.call({ method: 'attach', session: session.engineId }))
  }

  async detach(clientId: string | undefined): Promise<Answer> {
    if (clientId === undefined) return { error: invalidParams('Expected a session ID') }
    const session = this.#sessions.get(clientId)
    return session === undefined ? { result: NONE } : await this.#end(clientId, session)
  }

  list(): Answer {
    const ids = [...this.#sessions.keys()].filter((id) => id !== FIRST)
    return { result: encodeArray(ids.map(encodeUuid)) }
  }

  /** After the engine has dropped the session's live queries: all but those of which it does not know whose they are. */
  async forgetLive(session: Session): Promise<void> {
    const forgotten = this.#live?.forget(session) ?? []
    await this.#kill(forgotten.filter(({ made }) => made === 'perhaps, in a transaction').map(({ id }) => id))
  }

  /** Ends the live queries of a session that goes on. */
  async endLive(session: Session): Promise<void> {
    await this.#kill((this.#live?.forget(session) ?? []).map(({ id }) => id))
  }

  async #kill(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      // An error says that it was no live query after all. One that could not be ended now ends with its session.
      await this.#engine.call({ method: 'kill', params: encodeArray([encodeUuid(id)]) })
    }
  }

  /** Ends every session once its calls have finished, and with it its live queries. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map(([clientId, session]) => this.#end(clientId, session)))
  }

  /** Alone: a LIVE statement still running would be registered after the clean-up, and stay in the database. */
  #end(clientId: string, session: Session): Promise<Answer> {
    this.#sessions.delete(clientId)
    return session.order.alone(async () => {
      const answer = await this.#engine.call({ method: 'detach', session: session.engineId })
      await this.forgetLive(session)
      this.#engineIds.delete(session.engineId)
      return answer
    })
  }

  #newEngineId(wanted?: string): string {
    const id = wanted !== undefined && !this.#engineIds.has(wanted) ? wanted : randomUUID()
    this.#engineIds.add(id)
    return id
  }
}
