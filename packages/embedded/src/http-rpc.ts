import type { IncomingMessage } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { decodeValue } from './cbor.ts'
import {
  badRequest,
  bodyTooLong,
  CBOR_TYPE,
  content,
  type HttpAnswer,
  invalidHeader,
  readBody,
  unsupportedMediaType,
} from './http-answer.ts'
import { formOf } from './http-forms.ts'
import { readRequest } from './rpc-request.ts'

/** As the real server's default. */
const MAX_BYTES = 4 * 1024 * 1024

/** `POST /rpc`: one call, without the methods that need a connection. */
export async function rpc(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const { accept, 'content-type': type } = request.headers
  const body = await readBody(request, MAX_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  if (type === undefined || type.startsWith('*/*') || formOf(type) === 'unknown') return invalidHeader('content-type')
  // Any form is the form of the request.
  const wantsOther = accept !== undefined && !accept.startsWith('*/*') && formOf(accept) !== 'cbor'
  return await asClient(context, request.headers, async (client) => {
    if (formOf(type) !== 'cbor' || wantsOther) return unsupportedMediaType()
    const asked = readRequest(body)
    if ('error' in asked) return badRequest((decodeValue(asked.error) as { message: string }).message)
    return content(CBOR_TYPE, await client.respond(asked))
  })
}
