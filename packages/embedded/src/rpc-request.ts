import { type Token, Type } from 'cborg'
import { EMPTY_ARRAY, type Entry, readEntries, TAG, tokenize, uuidFromText, uuidOf } from './cbor.ts'
import { DecimalWatch, withoutExponents } from './decimal-text.ts'
import { invalidRequest, parseError, type RpcError } from './rpc-errors.ts'
import { ValueGuard } from './value-guard.ts'

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

/**
 * Reads one request as the real server does: the last of repeated fields counts, unknown fields are ignored. Reads to the
 * end of the value and no further, as the engine does.
 */
export function readRequest(frame: Buffer): RpcRequest | { readonly error: RpcError } {
  const fields = new Map<string, Entry['value']>()
  const guard = new ValueGuard()
  const decimals = new DecimalWatch()
  const look = (token: Token): void => {
    guard.look(token)
    decimals.look(token)
  }
  try {
    for (const { key, value } of readEntries(frame, look)) fields.set(key, value)
  } catch {
    // Whatever is wrong with it, it cannot be read.
    return { error: parseError() }
  }
  if (guard.fatal) return { error: parseError() }
  const id = fields.get('id')
  const method = textOf(fields.get('method'))
  const session = uuidField(fields.get('session'))
  const txn = uuidField(fields.get('txn'))
  const version = fields.get('version')
  if (method === undefined || session === 'invalid' || txn === 'invalid') return { error: invalidRequest() }
  if ((id !== undefined && !isId(id)) || (version !== undefined && !isVersion(version)))
    return { error: invalidRequest() }
  const sent = fields.get('params')
  const params = sent !== undefined && firstToken(sent).type === Type.array ? sent : EMPTY_ARRAY
  return {
    method,
    params: decimals.seen ? withoutExponents(params) : params,
    ...(id !== undefined && !isNone(id) && { id }),
    ...(session !== undefined && { session }),
    ...(txn !== undefined && { txn }),
  }
}

const ID_TAGS: ReadonlySet<number> = new Set([TAG.none, TAG.uuid, TAG.uuidText, TAG.decimal, TAG.date, TAG.dateText])

const ID_TYPES: ReadonlySet<Type> = new Set([
  Type.null,
  Type.undefined,
  Type.uint,
  Type.negint,
  Type.float,
  Type.string,
])

function isId(value: Buffer): boolean {
  const token = firstToken(value)
  return token.type === Type.tag ? ID_TAGS.has(token.value) : ID_TYPES.has(token.type)
}

function isVersion(value: Buffer): boolean {
  const token = firstToken(value)
  return isNullish(value) || (token.type === Type.uint && (token.value === 1 || token.value === 2))
}

function uuidField(value: Buffer | undefined): string | undefined | 'invalid' {
  if (value === undefined || isNullish(value)) return undefined
  const text = textOf(value)
  return (text === undefined ? uuidOf(value) : uuidFromText(text)) ?? 'invalid'
}

/** The text that these bytes are, if they are one. */
export function textOf(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined
  const token = firstToken(value)
  return token.type === Type.string ? token.value : undefined
}

export function isNone(value: Buffer): boolean {
  const token = firstToken(value)
  return token.type === Type.tag && token.value === TAG.none
}

export function isNull(value: Buffer): boolean {
  const { type } = firstToken(value)
  return type === Type.null || type === Type.undefined
}

function isNullish(value: Buffer): boolean {
  return isNone(value) || isNull(value)
}

function firstToken(value: Buffer): Token {
  return tokenize(value).next()
}
