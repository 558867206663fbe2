import { encodeUuid, TAG } from './cbor.ts'
import { MAJOR } from './cbor-walk.ts'

const OPEN_LIST = 0x9f
const OPEN_MAP = 0xbf
const END = 0xff
const CLOSED = { none: 0xc0 | TAG.none, false: 0xf4, true: 0xf5, null: 0xf6, float: 0xfb } as const

/** Writes values one after the other, for who does not know beforehand how many there will be. */
export class CborWriter {
  #bytes: Buffer
  #at = 0

  /** `size`: about as many bytes as will be written. */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size + 64)
  }

  /** Where the next value begins. */
  get at(): number {
    return this.#at
  }

  /** What has been written from there on. A view, good until the next write. */
  from(start: number): Buffer {
    return this.#bytes.subarray(start, this.#at)
  }

  openList(): void {
    this.#byte(OPEN_LIST)
  }

  openMap(): void {
    this.#byte(OPEN_MAP)
  }

  /** Ends the list or map that was opened last. */
  end(): void {
    this.#byte(END)
  }

  /** A list of so many values, which follow. */
  list(length: number): void {
    this.#head(MAJOR.array, length)
  }

  /** Belongs to the value that follows. */
  tag(tag: number): void {
    this.#head(MAJOR.tag, tag)
  }

  none(): void {
    this.#byte(CLOSED.none)
    this.#byte(CLOSED.null)
  }

  null(): void {
    this.#byte(CLOSED.null)
  }

  bool(value: boolean): void {
    this.#byte(value ? CLOSED.true : CLOSED.false)
  }

  text(value: string): void {
    this.openText(Buffer.byteLength(value))
    this.pieceOfText(value)
  }

  /** A text of so many bytes, which follow in pieces. */
  openText(length: number): void {
    this.#head(MAJOR.text, length)
  }

  pieceOfText(piece: string): void {
    this.#reserve(Buffer.byteLength(piece))
    this.#at += this.#bytes.write(piece, this.#at)
  }

  bytes(value: Uint8Array): void {
    this.#head(MAJOR.bytes, value.length)
    this.raw(value)
  }

  /** A whole number of 64 bits. */
  int(value: bigint | number): void {
    if (value >= 0) this.#head(MAJOR.uint, value)
    else this.#head(MAJOR.negint, typeof value === 'bigint' ? -1n - value : -1 - value)
  }

  float(value: number): void {
    this.#byte(CLOSED.float)
    this.#reserve(8)
    this.#at = this.#bytes.writeDoubleBE(value, this.#at)
  }

  /** Lower-case hexadecimal with hyphens. */
  uuid(value: string): void {
    this.raw(encodeUuid(value))
  }

  /** What is encoded already. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** Puts bytes before what has been written from `start` on. */
  insert(start: number, value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.copyWithin(start + value.length, start, this.#at)
    this.#bytes.set(value, start)
    this.#at += value.length
  }

  /** Takes back what has been written from `start` on. */
  rewind(start: number): void {
    this.#at = start
  }

  #head(major: number, argument: number | bigint): void {
    const first = major << 5
    this.#reserve(9)
    if (argument < 24) this.#byte(first | Number(argument))
    else if (argument < 0x1_00) {
      this.#byte(first | 24)
      this.#byte(Number(argument))
    } else if (argument < 0x1_0000_0000) {
      this.#byte(first | 26)
      this.#at = this.#bytes.writeUInt32BE(Number(argument), this.#at)
    } else {
      this.#byte(first | 27)
      this.#at = this.#bytes.writeBigUInt64BE(BigInt(argument), this.#at)
    }
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe((this.#at + length) * 2)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
