import type { IncomingMessage } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { decodeValue, encodeArray, encodeMap, encodeValue } from './cbor.ts'
import { headAt, MAJOR } from './cbor-walk.ts'
import {
  authenticationFailed,
  badRequest,
  bodyTooLong,
  CBOR_TYPE,
  content,
  empty,
  forbidden,
  type HttpAnswer,
  invalidHeader,
  JSON_TYPE,
  readBody,
  unsupportedMediaType,
} from './http-answer.ts'
import { messageOf } from './http-client.ts'
import { formOf } from './http-forms.ts'
import { readRequest } from './rpc-request.ts'
import { readSurrealJson } from './surrealql-value.ts'
import { inTurns } from './turns.ts'
import { decodeUtf8 } from './utf8.ts'

/** As the real server's default. */
const MAX_BYTES = 1024

/**
 * `POST /signin` and `POST /signup`: the login as an object, whatever its `Content-Type` says, and the answer a token. Nobody has signed in
 * yet, so the body does not come near the engine's parser.
 */
export function signWith(method: 'signin' | 'signup') {
  return async (context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> => {
    const form = formOf(request.headers.accept)
    const body = await readBody(request, MAX_BYTES)
    if (body === undefined) return badRequest('The request ended early')
    if (body === 'too long') return bodyTooLong()
    return await asClient(context, request.headers, async (client) => {
      if (form === 'unknown') return invalidHeader('accept')
      const text = decodeUtf8(body)
      if (text === undefined) return badRequest('Non UTF-8 request body')
      const login = await inTurns(readSurrealJson(text))
      if (login === undefined || headAt(login, 0).major !== MAJOR.map)
        return badRequest('The request body contains invalid data')
      const asked = await readRequest(
        encodeMap([
          ['method', encodeValue(method)],
          ['params', encodeArray([login])],
        ]),
      )
      if ('error' in asked) return badRequest('The request body contains invalid data')
      const answer = await client.call(asked)
      if ('error' in answer) {
        const { kind, details } = decodeValue(answer.error) as { readonly kind?: unknown; readonly details?: unknown }
        const message = messageOf(answer) ?? ''
        if (kind !== 'NotAllowed') return badRequest(message)
        return details === undefined ? forbidden(message) : authenticationFailed()
      }
      const token = decodeValue(answer.result)
      const success = { code: 200, details: 'Authentication succeeded', token }
      if (form === undefined) return empty(200)
      if (form === 'json') return content(JSON_TYPE, JSON.stringify(success))
      if (form === 'cbor') return content(CBOR_TYPE, encodeValue(success))
      return form === 'text' ? content('text/plain', accessToken(token)) : unsupportedMediaType()
    })
  }
}

/** With a refresh token beside it, it is one of two. */
function accessToken(token: unknown): string {
  return typeof token === 'string' ? token : String((token as { readonly access?: unknown }).access)
}
