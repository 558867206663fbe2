import { decodeValue, encodeArray, encodeMap, encodeValue, NONE, readElements, readEntries } from './cbor.ts'
import { headAt, MAJOR } from './cbor-walk.ts'
import { textOf } from './rpc-request.ts'

/** Of the form of these frames. */
const VERSION = 1
/** As the real server: so many rows in a statement's first frame, twice as many in each one after it, */
const FIRST_ROWS = 16
/** up to so many. */
const MOST_ROWS = 256

/**
 * The frames by which a `query_stream` is answered, each an encoded value: `begin`, for each statement its rows or its value and then
 * that it has `finished`, and `end`. Made from the answer to `query`, because the engine gives no row before it has all of them.
 */
export function streamFrames(answer: Buffer, tookMs: number): readonly Buffer[] {
  const statements = readElements(answer)
  const begin = encodeValue({ statements: statements.length, stream: 'begin', version: VERSION })
  const end = encodeValue({ results: statements.length, stream: 'end', time: durationText(tookMs) })
  return [begin, ...statements.flatMap(statementFrames), end]
}

function statementFrames(statement: Buffer, number: number): readonly Buffer[] {
  const fields = new Map([...readEntries(statement)].map(({ key, value }) => [key, value]))
  const index = encodeValue(number)
  const result = fields.get('result') ?? NONE
  const failed = textOf(fields.get('status')) === 'ERR'
  const isList = headAt(result, 0).major === MAJOR.array
  const finished = encodeMap([
    ...(failed ? [['error', errorOf(fields)] as const] : []),
    ['index', index],
    ['single', encodeValue(!failed && !isList)],
    ['stream', encodeValue('finished')],
    ['time', fields.get('time') ?? encodeValue(durationText(0))],
    ['type', fields.get('type') ?? NONE],
  ])
  if (failed) return [finished]
  if (isList) return [...rowFrames(readElements(result), index), finished]
  const value = encodeMap([
    ['index', index],
    ['stream', encodeValue('value')],
    ['value', result],
  ])
  return [value, finished]
}

function rowFrames(rows: readonly Buffer[], index: Buffer): readonly Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0, most = FIRST_ROWS; at < rows.length; at += most, most = Math.min(most * 2, MOST_ROWS)) {
    frames.push(
      encodeMap([
        ['index', index],
        ['stream', encodeValue('rows')],
        ['values', encodeArray(rows.slice(at, at + most))],
      ]),
    )
  }
  return frames
}

/** A statement's error as errors of whole calls are written, which have a code. */
function errorOf(fields: ReadonlyMap<string, Buffer>): Buffer {
  const kind = fields.get('kind') ?? encodeValue('Internal')
  const details = fields.get('details')
  return encodeMap([
    ['cause', fields.get('cause') ?? NONE],
    ['code', encodeValue(codeOf(textOf(kind), details === undefined ? undefined : decodeValue(details)))],
    ...(details === undefined ? [] : [['details', details] as const]),
    ['kind', kind],
    ['message', fields.get('result') ?? encodeValue('')],
  ])
}

/** By an error's kind and that of its details, as the real server numbers them; `*`: any other details. */
const CODES: Readonly<Record<string, number>> = {
  Thrown: -32006,
  'Query.NotExecuted': -32003,
  'Query.TimedOut': -32004,
  'Query.Cancelled': -32005,
  'Query.TransactionConflict': -32009,
  'NotAllowed.Auth': -32002,
  'NotAllowed.*': -32602,
  'NotFound.Method': -32601,
  'Validation.Parse': -32700,
  'Validation.InvalidParams': -32603,
  'Validation.*': -32600,
  'Configuration.LiveQueryNotSupported': -32604,
  'Serialization.Serialization': -32007,
  'Serialization.Deserialization': -32008,
}
const OTHER = -32000

function codeOf(kind: string | undefined, details: unknown): number {
  const detail = (details as { readonly kind?: unknown } | undefined)?.kind
  const ofDetail = detail === undefined ? undefined : (CODES[`${kind}.${detail}`] ?? CODES[`${kind}.*`])
  return ofDetail ?? CODES[`${kind}`] ?? OTHER
}

/** In the server's form: a number and its unit. */
function durationText(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(6))}ms` : `${Number((ms / 1000).toFixed(9))}s`
}
