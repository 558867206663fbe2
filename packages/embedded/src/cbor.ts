import { decode, encode, Token, Tokenizer, Type } from 'cborg'

/**
 * SurrealDB's values as CBOR. Results pass through as the bytes the engine made; only what has to be understood is decoded.
 * Tags as in SurrealDB's own codec: 6 NONE, 7 table, 8 record id, 9 and 37 UUID, 10 decimal, 12 and 0 datetime, 13 and 14
 * duration, 49–51 ranges, 55 file, 56 set, 88–94 geometries.
 */
export const TAG = {
  dateText: 0,
  none: 6,
  table: 7,
  record: 8,
  uuidText: 9,
  decimal: 10,
  date: 12,
  durationText: 13,
  duration: 14,
  uuid: 37,
  range: 49,
  boundIncluded: 50,
  boundExcluded: 51,
  file: 55,
  set: 56,
  point: 88,
  line: 89,
  polygon: 90,
  multiPoint: 91,
  multiLine: 92,
  multiPolygon: 93,
  collection: 94,
} as const

/** Encodes a plain value; `undefined` becomes NONE. */
export function encodeValue(value: unknown): Buffer {
  return view(
    encode(value, { typeEncoders: { undefined: () => [new Token(Type.tag, TAG.none), new Token(Type.null, null)] } }),
  )
}

/** Decodes a value for looking at it: tags other than NONE are dropped, so the result cannot be encoded again. */
export function decodeValue(bytes: Uint8Array): unknown {
  return decode(bytes, { tags: LOOSE_TAGS, useMaps: false })
}

const LOOSE_TAGS = Object.fromEntries(
  Object.values(TAG).map((tag) => [
    tag,
    (content: () => unknown) => {
      const value = content()
      return tag === TAG.none ? undefined : value
    },
  ]),
)

/** Reads bytes token by token; whole numbers beyond 2^53 become `bigint`. */
export function tokenize(bytes: Buffer): Tokenizer {
  return new Tokenizer(bytes, { allowBigInt: true })
}

/** The bytes of one value, and where they are in what they were read from. */
export interface Entry {
  readonly key: string
  readonly value: Buffer
}

/**
 * The entries of a map with text keys, in order; the values are not decoded. `look` sees each token of the values. Throws on
 * anything else.
 */
export function* readEntries(bytes: Buffer, look?: (token: Token) => void): Generator<Entry, void, undefined> {
  const tokens = tokenize(bytes)
  const map = tokens.next()
  if (map.type !== Type.map) throw new Error('CBOR: expected a map')
  for (let i = 0; i < map.value; i++) {
    const key = tokens.next()
    if (key.type === Type.break && map.value === Number.POSITIVE_INFINITY) return
    if (key.type !== Type.string) throw new Error('CBOR: expected a text key')
    const start = tokens.pos()
    skip(tokens, look)
    yield { key: key.value, value: bytes.subarray(start, tokens.pos()) }
  }
}

/** The elements of an array, not decoded. Throws on anything else. */
export function readElements(bytes: Buffer): Buffer[] {
  const tokens = tokenize(bytes)
  const array = tokens.next()
  if (array.type !== Type.array) throw new Error('CBOR: expected an array')
  const elements: Buffer[] = []
  for (let i = 0; i < array.value; i++) {
    const start = tokens.pos()
    if (bytes[start] === BREAK && array.value === Number.POSITIVE_INFINITY) break
    skip(tokens)
    elements.push(bytes.subarray(start, tokens.pos()))
  }
  return elements
}

const BREAK = 0xff

/** Moves past one value, without recursion: how deep a client nests is bounded by the engine, not by our stack. */
export function skip(tokens: Tokenizer, look?: (token: Token) => void): void {
  const open: number[] = []
  for (;;) {
    const token = tokens.next()
    look?.(token)
    if (token.type === Type.break) {
      if (open.pop() !== Number.POSITIVE_INFINITY) throw new Error('CBOR: unexpected break')
    } else if (token.type === Type.tag) {
      continue
    } else if (token.type === Type.array || token.type === Type.map) {
      const values = token.type === Type.map ? token.value * 2 : token.value
      if (values > 0) {
        open.push(values)
        continue
      }
    }
    // A value is complete, and with its last value so is what contains it.
    while (open.length > 0) {
      const left = (open.pop() as number) - 1
      if (left > 0) {
        open.push(left)
        break
      }
    }
    if (open.length === 0) return
  }
}

/** A UUID as SurrealDB sends it, from lower-case hexadecimal with hyphens. */
export function encodeUuid(uuid: string): Buffer {
  return Buffer.from(`d82550${uuid.replaceAll('-', '')}`, 'hex')
}

/** The UUID that these bytes are, binary or text, as lower-case hexadecimal with hyphens. */
export function uuidOf(bytes: Buffer): string | undefined {
  const tokens = tokenize(bytes)
  const tag = tokens.next()
  if (tag.type !== Type.tag) return undefined
  const content = tokens.next()
  if (tag.value === TAG.uuid && content.type === Type.bytes && content.value.length === 16) {
    return view(content.value)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
  return tag.value === TAG.uuidText && content.type === Type.string ? uuidFromText(content.value) : undefined
}

/** A UUID written in one of the usual ways, as lower-case hexadecimal with hyphens. */
export function uuidFromText(text: string): string | undefined {
  const hex = text.toLowerCase()
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(hex) ? hex : undefined
}

/** A map from entries whose values are encoded already. */
export function encodeMap(entries: readonly (readonly [key: string, value: Uint8Array])[]): Buffer {
  // At most a handful of entries, so the length is part of the first byte.
  const parts: Uint8Array[] = [Buffer.of(0xa0 | entries.length)]
  for (const [key, value] of entries) parts.push(encodedKey(key), value)
  return Buffer.concat(parts)
}

/** An array from elements that are encoded already. */
export function encodeArray(elements: readonly Uint8Array[]): Buffer {
  return Buffer.concat([encodeArrayHeader(elements.length), ...elements])
}

function encodeArrayHeader(length: number): Buffer {
  if (length < 24) return Buffer.of(0x80 | length)
  const header = Buffer.alloc(5)
  header[0] = 0x9a
  header.writeUInt32BE(length, 1)
  return header
}

const keys = new Map<string, Buffer>()

/** Only ever our own few field names. */
function encodedKey(key: string): Buffer {
  let bytes = keys.get(key)
  if (bytes === undefined) {
    bytes = encodeValue(key)
    keys.set(key, bytes)
  }
  return bytes
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export const NONE: Buffer = Buffer.of(0xc0 | TAG.none, 0xf6)
export const NULL: Buffer = Buffer.of(0xf6)
export const EMPTY_ARRAY: Buffer = Buffer.of(0x80)
