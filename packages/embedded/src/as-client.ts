import type { IncomingHttpHeaders } from 'node:http'
import type { Engine } from './engine.ts'
import { empty, type HttpAnswer, refused } from './http-answer.ts'
import { applyHeaders, hasProof } from './http-client.ts'
import { RpcClient } from './rpc-client.ts'
import type { Session } from './session.ts'

/** What a request is answered from. */
export interface HttpContext {
  readonly engine: Engine
  readonly engineIds: Set<string>
}

/** Runs `use` with a client that is signed in and has selected what the headers say, and ends it afterwards. */
export async function asClient(
  { engine, engineIds }: HttpContext,
  headers: IncomingHttpHeaders,
  use: (client: RpcClient, session: Session) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const client = new RpcClient({ engine, engineIds })
  try {
    const session = await client.first()
    const why = await applyHeaders(engine, session, headers)
    return why === undefined ? await use(client, session) : refused(why)
  } finally {
    await client.close()
  }
}

/** The answer to a request whose `Authorization` is wrong; `undefined` when it is right, or missing. */
export async function refusal(context: HttpContext, headers: IncomingHttpHeaders): Promise<HttpAnswer | undefined> {
  if (!hasProof(headers)) return undefined
  const answer = await asClient(context, headers, async () => empty(200))
  return answer.status === 200 ? undefined : answer
}
