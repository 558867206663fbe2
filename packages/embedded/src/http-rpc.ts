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
  JSON_TYPE,
  readBody,
  text,
  unsupportedMediaType,
} from './http-answer.ts'
import { messageOf } from './http-client.ts'
import { formOf } from './http-forms.ts'
import { responseTo } from './rpc-client.ts'
import { readRequest } from './rpc-request.ts'
import { CBOR, JSON_FORMAT, UNREADABLE, type WireFormat } from './wire-format.ts'

/** As the real server's default. */
const MAX_BYTES = 4 * 1024 * 1024

/** `POST /rpc`: one call, without the methods that need a connection. */
export async function rpc(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const { accept, 'content-type': type } = request.headers
  const body = await readBody(request, MAX_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  if (type === undefined) return text(400, 'Header of type `content-type` was missing')
  if (type.startsWith('*/*') || formOf(type) === 'unknown') return invalidHeader('content-type')
  if (formOf(accept) === 'unknown') return invalidHeader('accept')
  const format = FORMATS.find(({ name }) => name === formOf(type))
  // Any form is the form of the request.
  const wantsOther = accept !== undefined && !accept.startsWith('*/*') && formOf(accept) !== format?.name
  return await asClient(context, request.headers, async (client) => {
    if (format === undefined || wantsOther) return unsupportedMediaType()
    const asked = await readRequest((await format.read(body)) ?? UNREADABLE, format.levels)
    if ('error' in asked) return badRequest((decodeValue(asked.error) as { message: string }).message)
    const answer = await client.call(asked)
    if ('error' in answer && answer.lost !== undefined) return badRequest(messageOf(answer) ?? '')
    return content(TYPES[format.name], await format.write(context.engine, responseTo(asked, answer)))
  })
}

const FORMATS: readonly WireFormat[] = [JSON_FORMAT, CBOR]
const TYPES = { json: JSON_TYPE, cbor: CBOR_TYPE } as const
