import { EMPTY_ARRAY, type Entry, TAG, uuidFromAnyText, uuidOf } from './cbor.ts'
import { endOfKey, headAt, isLast, MAJOR, textAt, Walk } from './cbor-walk.ts'
import { hasExponent, withoutExponents } from './decimal-text.ts'
import { invalidRequest, parseError, type RpcError } from './rpc-errors.ts'
import { atOnce, type Interruptible, inTurns, LONG_BYTES } from './turns.ts'
import { isFatalDuration } from './value-guard.ts'

/** What a client asks for. Values stay encoded. */
export interface RpcRequest {
  /** Sent back as it came. */
  readonly id?: Buffer
  readonly method: string
  /** One array. */
  readonly params: Buffer
  /** The client's own name for its session; without it, the one it began with. */
  readonly session?: string
  readonly txn?: string
}

type Read = RpcRequest | { readonly error: RpcError }

/** Values passed over before others get a turn: about a millisecond. */
const STEPS = 100_000

/**
 * Reads one request as the real server does: the last of repeated fields counts, unknown fields are ignored. Reads to the
 * end of the value and no further, as the engine does. `levels`: of lists, maps and tags in each other, so many at most.
 *
 * A request of a hundred megabytes keeps nobody else waiting.
 */
export function readRequest(frame: Buffer, levels?: number): Read | Promise<Read> {
  const reading = readFields(frame, levels)
  return frame.length > LONG_BYTES ? inTurns(reading) : atOnce(reading)
}

function* readFields(frame: Buffer, levels: number | undefined): Interruptible<Read> {
  const fields = new Map<string, Entry['value']>()
  let fatal = false
  const scientific: number[] = []
  const onTag = (tag: number, contentAt: number): void => {
    if (tag === TAG.duration) fatal ||= isFatalDuration(frame, contentAt)
    else if (tag === TAG.decimal && hasExponent(frame, contentAt)) scientific.push(contentAt)
  }
  try {
    const map = headAt(frame, 0)
    if (map.major !== MAJOR.map) return { error: parseError() }
    for (let at = map.end, i = 0; !isLast(frame, at, i, map.argument); i++) {
      if (i % STEPS === STEPS - 1) yield
      const start = endOfKey(frame, at)
      const walk = new Walk(frame, start, onTag, levels === undefined ? undefined : levels - 1)
      while (!walk.advance(STEPS)) yield
      // No other field matters, however many there are and however long their names.
      const key = start - at > LONGEST_NAME ? '' : textAt(frame, at)
      if (FIELDS.has(key)) fields.set(key, frame.subarray(start, walk.at))
      at = walk.at
    }
  } catch {
    // Whatever is wrong with it, it cannot be read.
    return { error: parseError() }
  }
  if (fatal) return { error: parseError() }
  const params = fields.get('params')
  if (params !== undefined && scientific.length > 0) {
    const start = params.byteOffset - frame.byteOffset
    const within = scientific.map((at) => at - start).filter((at) => at >= 0 && at < params.length)
    fields.set('params', withoutExponents(params, within))
  }
  return requestOf(fields)
}

const FIELDS: ReadonlySet<string> = new Set(['id', 'method', 'params', 'session', 'trace_context', 'txn', 'version'])
/** Of their encoded forms; their lengths may be stated in nine bytes. */
const LONGEST_NAME = 16

function requestOf(fields: ReadonlyMap<string, Entry['value']>): Read {
  const id = fields.get('id')
  const method = textOf(fields.get('method'))
  const session = uuidField(fields.get('session'))
  const txn = uuidField(fields.get('txn'))
  const version = fields.get('version')
  if (method === undefined || session === 'invalid' || txn === 'invalid') return { error: invalidRequest() }
  const trace = fields.get('trace_context')
  if ((id !== undefined && !isId(id)) || (version !== undefined && !isVersion(version)))
    return { error: invalidRequest() }
  // We trace nothing, but the real server reads it.
  if (trace !== undefined && !isTraceContext(trace)) return { error: invalidRequest() }
  const params = fields.get('params')
  return {
    method,
    params: params !== undefined && headAt(params, 0).major === MAJOR.array ? params : EMPTY_ARRAY,
    ...(id !== undefined && !isNone(id) && { id }),
    ...(session !== undefined && { session }),
    ...(txn !== undefined && { txn }),
  }
}

const ID_TAGS: ReadonlySet<number | undefined> = new Set([
  TAG.none,
  TAG.uuid,
  TAG.uuidText,
  TAG.decimal,
  TAG.date,
  TAG.dateText,
])

function isId(value: Buffer): boolean {
  const { major, argument } = headAt(value, 0)
  switch (major) {
    case MAJOR.uint:
    case MAJOR.negint:
    case MAJOR.text:
      return true
    case MAJOR.tag:
      return ID_TAGS.has(argument)
    default:
      return isNull(value) || isFloat(value)
  }
}

function isVersion(value: Buffer): boolean {
  const { major, argument } = headAt(value, 0)
  return isNullish(value) || (major === MAJOR.uint && (argument === 1 || argument === 2))
}

function isTraceContext(value: Buffer): boolean {
  const { major } = headAt(value, 0)
  return isNullish(value) || major === MAJOR.text || major === MAJOR.map
}

function uuidField(value: Buffer | undefined): string | undefined | 'invalid' {
  if (value === undefined || isNullish(value)) return undefined
  const text = textOf(value)
  return (text === undefined ? uuidOf(value) : uuidFromAnyText(text)) ?? 'invalid'
}

/** The text that these bytes are, if they are one. */
export function textOf(value: Buffer | undefined): string | undefined {
  return value !== undefined && headAt(value, 0).major === MAJOR.text ? textAt(value, 0) : undefined
}

export function isNone(value: Buffer): boolean {
  const { major, argument } = headAt(value, 0)
  return major === MAJOR.tag && argument === TAG.none
}

/** `null`, or CBOR's `undefined`. */
export function isNull(value: Buffer): boolean {
  return value[0] === 0xf6 || value[0] === 0xf7
}

function isFloat(value: Buffer): boolean {
  return value[0] === 0xf9 || value[0] === 0xfa || value[0] === 0xfb
}

/** Either of the two that stand for nothing. */
export function isNullish(value: Buffer): boolean {
  return isNone(value) || isNull(value)
}
