import type { IncomingMessage } from 'node:http'
import { type HttpContext, openClient } from './as-client.ts'
import { decodeValue } from './cbor.ts'
import { DatabaseDump, type DumpOptions } from './database-dump.ts'
import {
  badRequest,
  bodyTooLong,
  empty,
  forbidden,
  type HttpAnswer,
  invalidHeader,
  readBody,
  text,
} from './http-answer.ts'
import { missingSelection } from './http-client.ts'
import { formOf } from './http-forms.ts'

/** Options are short. */
const MAX_BYTES = 1024 * 1024
const NOT_ALLOWED = 'IAM error: Not enough permissions to perform this action'

/** `GET /export`, and `POST /export` with options: a dump of the selected database, sent as fast as the client reads it. */
export async function exportDump(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const options = request.method === 'POST' ? await optionsOf(request) : {}
  if ('status' in options) return options
  const opened = await openClient(context, request.headers)
  if ('status' in opened) return opened
  const { client, session } = opened
  const dump = new DatabaseDump(context.engine, session)
  const refused = async (): Promise<HttpAnswer | undefined> => {
    const missing = missingSelection(session, request.headers)
    if (missing !== undefined) return badRequest(missing)
    if (session.identity === undefined) return forbidden(NOT_ALLOWED)
    // A database of the headers that is not there: the real server sends nothing.
    if (session.selection.database === undefined) return { status: 200, body: nothing() }
    const why = await dump.begin()
    if (why !== undefined) return /permission/i.test(why) ? forbidden(NOT_ALLOWED) : badRequest(why)
    return request.method === 'HEAD' ? empty(200) : undefined
  }
  const end = async (): Promise<void> => {
    await dump.close()
    await client.close()
  }
  const answer = await refused()
  if (answer === undefined) return { status: 200, body: thenEnd(dump.pieces(options), end) }
  await end()
  return answer
}

async function* nothing(): AsyncGenerator<string> {}

/** Also when nobody wants the rest. */
async function* thenEnd(pieces: AsyncIterable<string>, end: () => Promise<void>): AsyncGenerator<string> {
  try {
    yield* pieces
  } finally {
    await end()
  }
}

async function optionsOf(request: IncomingMessage): Promise<DumpOptions | HttpAnswer> {
  const type = request.headers['content-type']
  const form = formOf(type)
  if (form === undefined) return text(400, 'Header of type `content-type` was missing')
  if (form === 'unknown') return invalidHeader('content-type')
  const body = await readBody(request, MAX_BYTES)
  if (body === undefined) return badRequest('The request ended early')
  if (body === 'too long') return bodyTooLong()
  if (form !== 'json' && form !== 'cbor') return badRequest('unsupported body format')
  const options = parsed(form, body)
  if (options === undefined) return badRequest('Parse error: the options of an export are an object')
  if (options.versions === true)
    return badRequest('Versioned export is not supported: a dump carries the current state of each record only')
  return options as DumpOptions
}

function parsed(form: 'json' | 'cbor', body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = form === 'json' ? JSON.parse(body.toString('utf8')) : decodeValue(body)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
