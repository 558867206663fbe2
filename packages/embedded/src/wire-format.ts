import type { Engine } from './engine.ts'
import { toJson } from './json-output.ts'
import { readSurrealValue } from './surrealql-value.ts'
import { atOnce, type Interruptible, inTurns, LONG_BYTES } from './turns.ts'
import { decodeLongUtf8, decodeUtf8 } from './utf8.ts'

/** How requests and responses are written. Inside they are CBOR. */
export interface WireFormat {
  readonly name: 'json' | 'cbor'
  /** `undefined`: this is no value. What is long is read a little at a time. Neither throws nor rejects. */
  readonly read: (bytes: Buffer) => Buffer | undefined | Promise<Buffer | undefined>
  /** So many lists, maps and tags in each other may be in what it reads; left out: reading has seen to it. */
  readonly levels?: number
  readonly write: (engine: Engine, value: Buffer) => string | Buffer | Promise<string>
}

export const CBOR: WireFormat = {
  name: 'cbor',
  read: (bytes) => bytes,
  // As the real server, which counts levels as they are written: those of a record id are two.
  levels: 100,
  write: (_engine, value) => value,
}

/** What the real server calls JSON: it reads SurrealQL's literals, and writes JSON. */
export const JSON_FORMAT: WireFormat = {
  name: 'json',
  read: (bytes) => (bytes.length > LONG_BYTES ? inTurns(readLongJson(bytes)) : readJson(bytes)),
  write: toJson,
}

function readJson(bytes: Buffer): Buffer | undefined {
  const text = decodeUtf8(bytes)
  return text === undefined ? undefined : atOnce(readSurrealValue(text))
}

function* readLongJson(bytes: Buffer): Interruptible<Buffer | undefined> {
  const text = yield* decodeLongUtf8(bytes)
  return text === undefined ? undefined : yield* readSurrealValue(text)
}

/** What stands in for a request that is no value. */
export const UNREADABLE: Buffer = Buffer.alloc(0)

/** In the order in which the real server prefers them, whatever the client's is. */
const SUBPROTOCOLS: readonly WireFormat[] = [JSON_FORMAT, CBOR]

/** The subprotocol that is spoken with a client that offers these. `undefined`: none of them, which means JSON. */
export function chooseSubprotocol(offered: Iterable<string>): WireFormat | undefined {
  const names = new Set(offered)
  return SUBPROTOCOLS.find(({ name }) => names.has(name))
}
