import { decode, encode, Token, Tokenizer, Type } from 'cborg'
import { endOfKey, endOfValue, headAt, isLast, MAJOR, textAt } from './cbor-walk.ts'

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
    encode(value, {
      typeEncoders: { undefined: () => [new Token(Type.tag, TAG.none), new Token(Type.null, null)] },
      mapSorter: ([a], [b]) => (keyOf(a) < keyOf(b) ? -1 : 1),
    }),
  )
}

/** A text, from its UTF-8. */
export function encodeText(utf8: Uint8Array): Buffer {
  return Buffer.concat([headOf(MAJOR.text, utf8.length), utf8])
}

/** In the order of the engine's own maps. */
function keyOf(token: Token | Token[] | undefined): string {
  return String((Array.isArray(token) ? token[0] : token)?.value)
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

/** The entries of a map with text keys, in order; the values are not decoded. Throws on anything else. */
export function* readEntries(bytes: Buffer): Generator<Entry, void, undefined> {
  const map = headAt(bytes, 0)
  if (map.major !== MAJOR.map) throw new Error('CBOR: expected a map')
  for (let at = map.end, i = 0; !isLast(bytes, at, i, map.argument); i++) {
    const start = endOfKey(bytes, at)
    const end = endOfValue(bytes, start)
    yield { key: textAt(bytes, at), value: bytes.subarray(start, end) }
    at = end
  }
}

/** The elements of an array, not decoded. Throws on anything else. */
export function readElements(bytes: Buffer): Buffer[] {
  const array = headAt(bytes, 0)
  if (array.major !== MAJOR.array) throw new Error('CBOR: expected an array')
  const elements: Buffer[] = []
  for (let at = array.end; !isLast(bytes, at, elements.length, array.argument); ) {
    const end = endOfValue(bytes, at)
    elements.push(bytes.subarray(at, end))
    at = end
  }
  return elements
}

/** A UUID as SurrealDB sends it, from lower-case hexadecimal with hyphens. */
export function encodeUuid(uuid: string): Buffer {
  return Buffer.from(`d82550${uuid.replaceAll('-', '')}`, 'hex')
}

/** The UUID that these bytes are, binary or text, as lower-case hexadecimal with hyphens. */
export function uuidOf(bytes: Buffer): string | undefined {
  const tag = headAt(bytes, 0)
  if (tag.major !== MAJOR.tag) return undefined
  const content = headAt(bytes, tag.end)
  if (tag.argument === TAG.uuidText && content.major === MAJOR.text) return uuidFromAnyText(textAt(bytes, tag.end))
  if (tag.argument !== TAG.uuid || content.major !== MAJOR.bytes || content.argument !== 16) return undefined
  const hex = bytes.toString('hex', content.end, content.end + 16)
  if (hex.length !== 32) return undefined
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A UUID written with hyphens, as lower-case hexadecimal. */
export function uuidFromText(text: string): string | undefined {
  const hex = text.toLowerCase()
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(hex) ? hex : undefined
}

/** A UUID written in one of the four usual ways (with hyphens or without, in braces, as a URN), as lower-case hexadecimal with hyphens. */
export function uuidFromAnyText(text: string): string | undefined {
  const [, braced, urn] = /^(?:\{(.*)\}|urn:uuid:(.*))$/s.exec(text) ?? []
  const plain = text.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i, '$1-$2-$3-$4-$5')
  return uuidFromText(braced ?? urn ?? plain)
}

/** A map from entries whose values are encoded already. */
export function encodeMap(entries: Entries): Buffer {
  return Buffer.concat(mapParts(entries))
}

export type Entries = readonly (readonly [key: string, value: Uint8Array])[]

/** What `encodeMap` makes, for who puts it together. */
export function mapParts(entries: Entries): readonly Uint8Array[] {
  const parts: Uint8Array[] = [headOf(MAJOR.map, entries.length)]
  for (const [key, value] of entries) parts.push(encodedKey(key), value)
  return parts
}

/** An array from elements that are encoded already. */
export function encodeArray(elements: readonly Uint8Array[]): Buffer {
  return Buffer.concat([headOf(MAJOR.array, elements.length), ...elements])
}

/** RFC 8949, 3: the length is part of the first byte, or the four that come after it. */
function headOf(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length)
  const head = Buffer.alloc(5)
  head[0] = (major << 5) | 26
  head.writeUInt32BE(length, 1)
  return head
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
