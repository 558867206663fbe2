import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { decodeValue, encodeArray, encodeValue } from './cbor.ts'
import type { Engine } from './engine.ts'
import {
  badRequest,
  bodyTooLong,
  CBOR_TYPE,
  content,
  empty,
  forbidden,
  type HttpAnswer,
  JSON_TYPE,
  methodNotAllowed,
  readBody,
  text,
  unsupportedMediaType,
} from './http-answer.ts'
import { applyHeaders, hasProof, messageOf } from './http-client.ts'
import { toJson } from './json-output.ts'
import { RpcClient } from './rpc-client.ts'
import { ANONYMOUS_MESSAGE } from './rpc-errors.ts'
import { readRequest } from './rpc-request.ts'
import type { Session } from './session.ts'

/** What a request is answered from. */
export interface HttpContext {
  readonly engine: Engine
  readonly engineIds: Set<string>
}

/** As the real server's defaults. */
const MAX_SQL_BYTES = 1024 * 1024
const MAX_RPC_BYTES = 4 * 1024 * 1024

type Handler = (context: HttpContext, request: IncomingMessage) => Promise<HttpAnswer>

const NOT_AN_UPGRADE = text(400, "Connection header did not include 'upgrade'")

const ROUTES: ReadonlyMap<string, { readonly GET?: Handler; readonly POST?: Handler }> = new Map([
  ['/health', { GET: health }],
  ['/ready', { GET: health }],
  ['/status', { GET: health }],
  ['/version', { GET: version }],
  ['/sql', { GET: async () => NOT_AN_UPGRADE, POST: sql }],
  ['/rpc', { GET: async () => NOT_AN_UPGRADE, POST: rpc }],
])

/** Answers a request of a program of this machine as the real server does; the routes that are not there are not found. */
export async function answerHttp(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const route = ROUTES.get(pathOf(request))
  if (request.method === 'OPTIONS' && route !== undefined) return empty(200)
  // A wrong password is refused everywhere, also where none is needed.
  if (route === undefined) return (await refusal(context, request.headers)) ?? empty(404)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const handler = method === 'GET' || method === 'POST' ? route[method] : undefined
  if (handler !== undefined) return await handler(context, request)
  const allow = ['OPTIONS', ...(route.GET ? ['GET', 'HEAD'] : []), ...(route.POST ? ['POST'] : [])]
  return (await refusal(context, request.headers)) ?? methodNotAllowed(allow.join(','))
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/\?.*$/, '')
}

async function version(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  return (await refusal(context, request.headers)) ?? text(200, `surrealdb-${context.engine.version}`)
}

async function health(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  return (await refusal(context, request.headers)) ?? empty(200)
}

/** The answer to a request whose `Authorization` is wrong; `undefined` when it is right, or missing. */
export async function refusal(context: HttpContext, headers: IncomingHttpHeaders): Promise<HttpAnswer | undefined> {
  if (!hasProof(headers)) return undefined
  const answer = await asClient(context, headers, async () => empty(200))
  return answer.status === 200 ? undefined : answer
}

/** `POST /sql`: statements as text, their variables in the query string. */
async function sql(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const format = accepted(request.headers.accept)
  const body = await readBody(request, MAX_SQL_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  return await asClient(context, request.headers, async (client, session) => {
    if (session.identity === undefined) return forbidden(ANONYMOUS_MESSAGE)
    const statements = decodeUtf8(body)
    if (statements === undefined) return badRequest('Non UTF-8 request body')
    const variables = Object.fromEntries(new URL(request.url ?? '', 'http://localhost').searchParams)
    const params = encodeArray([encodeValue(statements), encodeValue(variables)])
    const answer = await client.call({ method: 'query', params })
    if ('error' in answer) return badRequest(messageOf(answer) ?? '')
    if (format === 'unknown') return text(400, 'invalid HTTP header (accept)')
    if (format === 'unsupported') return unsupportedMediaType()
    if (format === 'cbor') return content(CBOR_TYPE, answer.result)
    return content(JSON_TYPE, await toJson(context.engine, answer.result))
  })
}

/** `POST /rpc`: one call, without the methods that need a connection. */
async function rpc(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const type = mediaType(request.headers['content-type'])
  const accept = accepted(request.headers.accept)
  const body = await readBody(request, MAX_RPC_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  if (!KNOWN_TYPES.has(type)) return text(400, 'invalid HTTP header (content-type)')
  const wantsOther =
    request.headers.accept !== undefined && mediaType(request.headers.accept) !== '*/*' && accept !== 'cbor'
  return await asClient(context, request.headers, async (client) => {
    if (type !== CBOR_TYPE || wantsOther) return unsupportedMediaType()
    const asked = readRequest(body)
    if ('error' in asked) return badRequest((decodeValue(asked.error) as { message: string }).message)
    return content(CBOR_TYPE, await client.respond(asked))
  })
}

/** Runs `use` with a client that is signed in and has selected what the headers say, and ends it afterwards. */
async function asClient(
  { engine, engineIds }: HttpContext,
  headers: IncomingHttpHeaders,
  use: (client: RpcClient, session: Session) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const client = new RpcClient({ engine, engineIds })
  try {
    const session = await client.first()
    const refused = await applyHeaders(engine, session, headers)
    return refused === undefined ? await use(client, session) : text(401, refused)
  } finally {
    await client.close()
  }
}

const KNOWN_TYPES: ReadonlySet<string> = new Set([
  CBOR_TYPE,
  JSON_TYPE,
  'text/plain',
  'application/octet-stream',
  'application/vnd.surrealdb.flatbuffers',
])

/** `unknown`: no type the real server knows either. */
function accepted(accept: string | undefined): 'json' | 'cbor' | 'unsupported' | 'unknown' {
  const type = mediaType(accept)
  if (accept === undefined || type === '*/*' || type === JSON_TYPE) return 'json'
  if (type === CBOR_TYPE) return 'cbor'
  return KNOWN_TYPES.has(type) ? 'unsupported' : 'unknown'
}

function mediaType(header: string | undefined): string {
  return (header ?? '').replace(/;.*$/s, '')
}

function decodeUtf8(bytes: Buffer): string | undefined {
  const decoded = bytes.toString('utf8')
  return Buffer.from(decoded).equals(bytes) ? decoded : undefined
}
