import { randomUUID } from 'node:crypto'
import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { decodeValue, encodeArray, encodeValue } from './cbor.ts'
import { apiFailure, badRequest, bodyTooLong, forbidden, type HttpAnswer, notFound, readBody } from './http-answer.ts'
import { messageOf, selectExisting } from './http-client.ts'
import { ANONYMOUS_MESSAGE } from './rpc-errors.ts'

/** As the real server's default. */
const MAX_BYTES = 4 * 1024 * 1024

const METHODS: ReadonlySet<string> = new Set(['DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'TRACE'])
const BYTES = { 'content-type': 'application/octet-stream' }
const NOT_FOUND: HttpAnswer = { status: 404, headers: BYTES, body: 'Not found' }

/**
 * `/api/:ns/:db/…`: what `DEFINE API` made. Only for who has signed in: to the engine, nobody is the owner, whatever the API's
 * permissions say.
 */
export async function api(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const method = request.method ?? 'GET'
  const body = await readBody(request, MAX_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  const url = new URL(request.url ?? '', 'http://localhost')
  const [, , namespace = '', database = '', ...path] = url.pathname.split('/').map(decodeURIComponent)
  return await asClient(context, request.headers, async (client, session) => {
    if (!METHODS.has(method)) return identified(notFound(url.pathname), randomUUID())
    if (session.identity === undefined) return forbidden(ANONYMOUS_MESSAGE)
    if (!(await selectExisting(context.engine, session, { namespace, database }))) return NOT_FOUND
    const options = {
      method: method.toLowerCase(),
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      query: Object.fromEntries(url.searchParams),
      body: new Uint8Array(body),
    }
    const variables = encodeValue({ path: `/${path.join('/')}`, options })
    const statement = encodeValue('RETURN api::invoke($path, $options)')
    const answer = await client.call({ method: 'query', params: encodeArray([statement, variables]) })
    if ('error' in answer) return badRequest(messageOf(answer) ?? '')
    const [outcome] = decodeValue(answer.result) as readonly [Outcome]
    return outcome.status === 'OK' ? answerOf(outcome.result as Answer) : badRequest(String(outcome.result))
  })
}

interface Outcome {
  readonly status: string
  readonly result: unknown
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

function answerOf({ status, headers, body = '' }: Answer): HttpAnswer {
  const sent = Object.entries(headers).filter(([name, value]) => isHeader(name, String(value)))
  const all = { ...BYTES, ...Object.fromEntries(sent.map(([name, value]) => [name.toLowerCase(), String(value)])) }
  if (typeof body === 'string') return { status, headers: all, body }
  if (body instanceof Uint8Array) return { status, headers: all, body: Buffer.from(body) }
  return identified(apiFailure(BAD_BODY), String(headers[ID]))
}

const ID = 'x-surreal-request-id'
const BAD_BODY =
  'Invalid API response: HTTP API response body must be None, bytes, or string; other values are not supported'

function identified(answer: HttpAnswer, id: string): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, [ID]: id } }
}

/** Whoever defined the API may have written anything. */
function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
