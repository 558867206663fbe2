/**
 * Passes over encoded values without decoding them: a client's request can be 128 MiB long, and only a few of its fields are
 * looked at here. Text and bytes are passed over whatever is in them.
 *
 * As strict as the engine's own reader where the two could disagree about where a value ends: whatever is reserved, incomplete
 * or in the wrong place is refused. Text and bytes in pieces, which no SurrealDB client sends, are refused too.
 */

/** More levels than the engine reads (it refuses 256); keeps what we remember of them small. */
const MAX_DEPTH = 1_024

/** What stands in for the number of values that are left at a level which is ended by a break. */
const LIST = -1
const MAP = -2
const MAP_AFTER_KEY = -3

/** CBOR's major types. */
export const MAJOR = { uint: 0, negint: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, other: 7 } as const

const INDEFINITE = 31
const BREAK = 0xff

/** What a value begins with. */
export interface Head {
  readonly major: number
  /** A length, a tag, the number itself. Beyond 2^53 it is not exact. `undefined`: its length is not stated. */
  readonly argument: number | undefined
  /** Where what comes after the head begins. */
  readonly end: number
}

/** Throws if there is none. */
export function headAt(bytes: Buffer, at: number): Head {
  const first = byteAt(bytes, at)
  const info = first & 31
  const major = first >> 5
  const mayBeOpen = major === MAJOR.array || major === MAJOR.map
  if (info === INDEFINITE && mayBeOpen) return { major, argument: undefined, end: at + 1 }
  return { major, argument: argumentAt(bytes, at + 1, info), end: at + 1 + widthOf(info) }
}

/** Passes over one value, a number of steps at a time. */
export class Walk {
  readonly #bytes: Buffer
  readonly #onTag: ((tag: number, contentAt: number) => void) | undefined
  readonly #levels: number
  /** How many values are left at the levels around the present one. */
  readonly #outer: number[] = []
  #left = 1
  #at: number

  /** `onTag` is told of every tag, and where its content begins. `levels`: of lists, maps and tags in each other, so many at most. */
  constructor(bytes: Buffer, at: number, onTag?: (tag: number, contentAt: number) => void, levels: number = MAX_DEPTH) {
    this.#bytes = bytes
    this.#at = at
    this.#onTag = onTag
    this.#levels = levels
  }

  /** Where it has come to: the end of the value, once `advance` has returned true. */
  get at(): number {
    return this.#at
  }

  /** Takes at most so many steps. True: the value has ended. Throws if the bytes are no value. */
  advance(steps: number): boolean {
    const bytes = this.#bytes
    const outer = this.#outer
    const levels = this.#levels
    // Local, because each is used at every step.
    let [at, left] = [this.#at, this.#left]
    for (let step = 0; step < steps; step++) {
      while (left === 0) {
        const next = outer.pop()
        if (next === undefined) {
          this.#at = at
          this.#left = left
          return true
        }
        left = next
      }
      const first = byteAt(bytes, at)
      const info = first & 31
      const major = first >> 5
      if (first === BREAK) {
        if (left >= 0 || left === MAP_AFTER_KEY) throw new Error('CBOR: unexpected break')
        left = outer.pop() as number
        at++
        continue
      }
      left = left > 0 ? left - 1 : left === MAP ? MAP_AFTER_KEY : left === MAP_AFTER_KEY ? MAP : left
      if (info === INDEFINITE && (major === MAJOR.array || major === MAJOR.map)) {
        if (outer.push(left) > levels) throw new Error('CBOR: nested too deep')
        left = major === MAJOR.array ? LIST : MAP
        at++
        continue
      }
      const argument = info < 24 ? info : argumentAt(bytes, at + 1, info)
      at += 1 + widthOf(info)
      switch (major) {
        case MAJOR.bytes:
        case MAJOR.text:
          at += argument
          if (at > bytes.length) throw new Error('CBOR: incomplete')
          break
        case MAJOR.array:
        case MAJOR.map:
          // Each value takes a byte at least.
          if (argument > bytes.length - at) throw new Error('CBOR: incomplete')
          if (outer.push(left) > levels) throw new Error('CBOR: nested too deep')
          left = major === MAJOR.array ? argument : argument * 2
          break
        case MAJOR.tag:
          // What it is put to: one value.
          if (outer.push(left) > levels) throw new Error('CBOR: nested too deep')
          left = 1
          this.#onTag?.(argument, at)
          break
        case MAJOR.other:
          // false, true, null, undefined, and floats of three widths.
          if (info < 20 || info === 24) throw new Error('CBOR: not a value')
          break
      }
    }
    this.#at = at
    this.#left = left
    return false
  }
}

/** Where the value that begins at `at` ends. Throws if there is none. */
export function endOfValue(bytes: Buffer, at: number, onTag?: (tag: number, contentAt: number) => void): number {
  const walk = new Walk(bytes, at, onTag)
  walk.advance(Number.POSITIVE_INFINITY)
  return walk.at
}

/** Is this the end of a list or map that has shown so many items? `length` as its head states it. */
export function isLast(bytes: Buffer, at: number, seen: number, length: number | undefined): boolean {
  return length === undefined ? byteAt(bytes, at) === BREAK : seen >= length
}

/** Where a text that is a key of a map ends. Throws if it is something else. */
export function endOfKey(bytes: Buffer, at: number): number {
  const { major, argument = Number.POSITIVE_INFINITY, end } = headAt(bytes, at)
  if (major !== MAJOR.text) throw new Error('CBOR: expected a text key')
  if (end + argument > bytes.length) throw new Error('CBOR: incomplete')
  return end + argument
}

/** The text at `at`, which has to be one. */
export function textAt(bytes: Buffer, at: number): string {
  const { end, argument = 0 } = headAt(bytes, at)
  return bytes.toString('utf8', end, end + argument)
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new Error('CBOR: incomplete')
  return byte
}

function widthOf(info: number): number {
  return info < 24 ? 0 : 1 << (info - 24)
}

function argumentAt(bytes: Buffer, at: number, info: number): number {
  if (info < 24) return info
  if (info > 27) throw new Error('CBOR: not a value')
  if (at + widthOf(info) > bytes.length) throw new Error('CBOR: incomplete')
  switch (info) {
    case 24:
      return bytes[at] as number
    case 25:
      return bytes.readUInt16BE(at)
    case 26:
      return bytes.readUInt32BE(at)
    default:
      return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
  }
}
