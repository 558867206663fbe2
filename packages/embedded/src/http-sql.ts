import type { IncomingMessage } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { encodeArray, encodeValue } from './cbor.ts'
import {
  badRequest,
  bodyTooLong,
  CBOR_TYPE,
  content,
  forbidden,
  type HttpAnswer,
  invalidHeader,
  JSON_TYPE,
  readBody,
  unsupportedMediaType,
} from './http-answer.ts'
import { messageOf } from './http-client.ts'
import { formOf } from './http-forms.ts'
import { toJson } from './json-output.ts'
import { ANONYMOUS_MESSAGE } from './rpc-errors.ts'
import { decodeUtf8 } from './utf8.ts'

/** As the real server's default. */
const MAX_BYTES = 1024 * 1024

/** `POST /sql`: statements as text, their variables in the query string. */
export async function sql(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const form = formOf(request.headers.accept) ?? 'json'
  const body = await readBody(request, MAX_BYTES)
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
    if (form === 'unknown') return invalidHeader('accept')
    if (form === 'cbor') return content(CBOR_TYPE, answer.result)
    return form === 'json' ? content(JSON_TYPE, await toJson(context.engine, answer.result)) : unsupportedMediaType()
  })
}
