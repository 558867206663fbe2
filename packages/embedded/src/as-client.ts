import type { IncomingHttpHeaders } from 'node:http'
import { connectionId } from './connection-id.ts'
import type { Engine } from './engine.ts'
import { empty, type HttpAnswer, refused } from './http-answer.ts'
import { applyHeaders, hasProof } from './http-client.ts'
import { RpcClient } from './rpc-client.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** What a request is answered from. */
export interface HttpContext {
  readonly engine: Engine
  readonly engineIds: Set<string>
  /** Those that were attached over HTTP. */
  readonly httpSessions: Sessions
}

export interface HttpClient {
  readonly client: RpcClient
  readonly session: Session
}

/** A client that is signed in and has selected what the headers say, or why it may not. Caller: close it. */
export async function openClient(
  { engine, engineIds, httpSessions }: HttpContext,
  headers: IncomingHttpHeaders,
): Promise<HttpClient | HttpAnswer> {
  const id = connectionId(headers)
  if (id === 'no UUID') return refused('The request body contains invalid data')
  const client = new RpcClient({ engine, engineIds, lasting: httpSessions, ...(id !== undefined && { id }) })
  try {
    const session = await client.first()
    const why = await applyHeaders(engine, session, headers)
    if (why === undefined) return { client, session }
    await client.close()
    return refused(why)
  } catch (error) {
    await client.close()
    throw error
  }
}

/** Runs `use` with a client as `openClient` opens it, and ends it afterwards. */
export async function asClient(
  context: HttpContext,
  headers: IncomingHttpHeaders,
  use: (client: RpcClient, session: Session) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const opened = await openClient(context, headers)
  if ('status' in opened) return opened
  try {
    return await use(opened.client, opened.session)
  } finally {
    await opened.client.close()
  }
}

/** The answer to a request whose `Authorization` is wrong; `undefined` when it is right, or missing. */
export async function refusal(context: HttpContext, headers: IncomingHttpHeaders): Promise<HttpAnswer | undefined> {
  if (!hasProof(headers)) return undefined
  const answer = await asClient(context, headers, async () => empty(200))
  return answer.status === 200 ? undefined : answer
}
