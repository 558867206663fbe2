import type { IncomingMessage } from 'node:http'
import type { HttpContext } from './as-client.ts'
import { connectionId } from './connection-id.ts'
import { applyHeaders } from './http-client.ts'
import { pathOf } from './http-routes.ts'
import { JsonConversation } from './json-conversation.ts'
import type { LiveQueries } from './live-queries.ts'
import { RpcClient } from './rpc-client.ts'
import { SqlConversation } from './sql-conversation.ts'
import { CBOR, chooseSubprotocol } from './wire-format.ts'
import type { Conversation, Frame } from './ws-connection.ts'

/** Where a WebSocket can be opened. */
const PATHS: ReadonlySet<string> = new Set(['/rpc', '/sql'])

export function takesWebSockets(request: IncomingMessage): boolean {
  return PATHS.has(pathOf(request))
}

/** The name to answer a client's offer with; `false`: without one. Only /rpc has subprotocols. */
export function subprotocolFor(offered: Iterable<string>, request: IncomingMessage): string | false {
  return (pathOf(request) === '/rpc' && chooseSubprotocol(offered)?.name) || false
}

/** Begins what a client wants with its WebSocket, in the subprotocol that was chosen for it. */
export function beginConversation(
  { engine, engineIds }: HttpContext,
  live: LiveQueries,
  request: IncomingMessage,
  subprotocol: string,
): (deliver: (frame: Frame) => void) => Conversation {
  const id = connectionId(request.headers)
  const client = (deliver?: (frame: Buffer) => void, levels?: number): RpcClient =>
    new RpcClient({
      engine,
      engineIds,
      ...(deliver !== undefined && { connection: { live, deliver } }),
      ...(levels !== undefined && { levels }),
      ...(id !== undefined && { id }),
      prepare: async (session) => void (await applyHeaders(engine, session, request.headers)),
    })
  if (pathOf(request) === '/sql') return () => new SqlConversation(engine, client())
  if (subprotocol === CBOR.name) return (deliver) => client(deliver, CBOR.levels)
  return (deliver) => new JsonConversation(engine, client, deliver)
}
