import type { IncomingMessage } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { encodeArray, encodeMap, encodeValue, readElements, readEntries } from './cbor.ts'
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
  text,
  unsupportedMediaType,
} from './http-answer.ts'
import { messageOf, missingSelection } from './http-client.ts'
import { formOf } from './http-forms.ts'
import { isInertValue } from './inert-value.ts'
import { toJson } from './json-output.ts'
import type { RpcClient } from './rpc-client.ts'
import { ANONYMOUS_MESSAGE } from './rpc-errors.ts'
import { decodeUtf8 } from './utf8.ts'

/** As the real server's default. */
const MAX_BYTES = 16 * 1024
const DEFAULT_LIMIT = 100n

export type KeyMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What each method does with a table, and with one record. `$data` is the body. */
const STATEMENTS: Readonly<Record<KeyMethod, { readonly table: string; readonly record: string }>> = {
  GET: {
    table: 'SELECT * FROM type::table($table) LIMIT $limit START $start',
    record: 'SELECT * FROM type::record($table, $id)',
  },
  POST: {
    table: 'CREATE type::table($table) CONTENT $data',
    record: 'CREATE type::record($table, $id) CONTENT $data',
  },
  PUT: {
    table: 'UPDATE type::table($table) CONTENT $data',
    record: 'UPSERT type::record($table, $id) CONTENT $data',
  },
  PATCH: {
    table: 'UPDATE type::table($table) MERGE $data',
    record: 'UPSERT type::record($table, $id) MERGE $data',
  },
  DELETE: {
    table: 'DELETE type::table($table) RETURN BEFORE',
    record: 'DELETE type::record($table, $id) RETURN BEFORE',
  },
}

const NO_VALUE =
  'Invalid /key request body: expected a single SurrealQL value (literal, object, array, or $param), not a statement or function call'

/** `/key/:table` and `/key/:table/:id`: one statement on a table or a record, its data in the body, its variables in the query string. */
export function key(method: KeyMethod) {
  return async (context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> => {
    const { headers } = request
    const url = new URL(request.url ?? '', 'http://localhost')
    const form = formOf(headers.accept) ?? 'json'
    const body = await readBody(request, MAX_BYTES)
    if (body === undefined) return badRequest('The request ended early')
    if (body === 'too long') return bodyTooLong()
    return await asClient(context, headers, async (client, session) => {
      if (form === 'unknown') return invalidHeader('accept')
      const variables = method === 'GET' ? selection(url.searchParams) : parameters(url.searchParams)
      if (typeof variables === 'string') return text(400, `Failed to deserialize query string: ${variables}`)
      const missing = missingSelection(session, headers)
      if (missing !== undefined) return badRequest(missing)
      if (session.identity === undefined) return forbidden(ANONYMOUS_MESSAGE)
      const [, , table = '', id] = url.pathname.split('/').map(decodeURIComponent)
      const all = new Map<string, Uint8Array>(
        Object.entries(variables).map(([name, value]) => [name, encodeValue(value)]),
      )
      all.set('table', encodeValue(table))
      if (id !== undefined) all.set('id', encodeValue(parsed(id)))
      if (method === 'POST' || method === 'PUT' || method === 'PATCH') {
        const data = await dataIn(client, body, all)
        if ('status' in data) return data
        all.set('data', data.value)
      }
      const target = id === undefined ? 'table' : 'record'
      const statement = STATEMENTS[method][target].replace('*', all.has('fields') ? 'type::fields($fields)' : '*')
      const answer = await run(client, statement, all)
      if (!Buffer.isBuffer(answer)) return answer
      if (form === 'cbor') return content(CBOR_TYPE, answer)
      return form === 'json' ? content(JSON_TYPE, await toJson(context.engine, answer)) : unsupportedMediaType()
    })
  }
}

type Variables = ReadonlyMap<string, Uint8Array>

/** The result of one statement, or the answer that says why there is none. */
async function run(client: RpcClient, statement: string, variables: Variables): Promise<Buffer | HttpAnswer> {
  const params = encodeArray([encodeValue(statement), encodeMap([...variables])])
  const answer = await client.call({ method: 'query', params })
  return 'result' in answer ? answer.result : badRequest(messageOf(answer) ?? '')
}

/** The value that a body says. Only one that is inert is handed to the engine. */
async function dataIn(
  client: RpcClient,
  body: Buffer,
  variables: Variables,
): Promise<{ readonly value: Uint8Array } | HttpAnswer> {
  const written = decodeUtf8(body)
  if (written === undefined) return badRequest('Non UTF-8 request body')
  if (!isInertValue(written)) return badRequest(NO_VALUE)
  const answer = await run(client, written, variables)
  if (!Buffer.isBuffer(answer)) return answer
  const [first] = readElements(answer)
  const value = [...readEntries(first ?? Buffer.of(0xa0))].find((entry) => entry.key === 'result')?.value
  return value === undefined ? badRequest(NO_VALUE) : { value }
}

/** What a GET takes from the query string; a text: what is wrong with it. */
function selection(query: URLSearchParams): Readonly<Record<string, unknown>> | string {
  const number = (name: string, instead: bigint): bigint | undefined => {
    const given = query.get(name)
    if (given === null) return instead
    return /^[+-]?\d+$/.test(given) ? BigInt(given) : undefined
  }
  const limit = number('limit', DEFAULT_LIMIT)
  if (limit === undefined) return 'limit: invalid digit found in string'
  const start = number('start', 0n)
  if (start === undefined) return 'start: invalid digit found in string'
  const fields = query.getAll('fields')
  return { limit, start, ...(fields.length > 0 && { fields }) }
}

function parameters(query: URLSearchParams): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...query].map(([name, value]) => [name, parsed(value)]))
}

const INTEGER = /^-?\d+$/

/** A number, a list and the like where it is JSON, else the text itself. */
function parsed(given: string): unknown {
  if (INTEGER.test(given)) {
    const number = BigInt(given)
    return BigInt.asIntN(64, number) === number ? number : given
  }
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}
