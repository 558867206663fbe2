import { type Token, Type } from 'cborg'
import { encodeValue, TAG, tokenize } from './cbor.ts'

/** `1E-7`, `-1.5e+20`: as Python's Decimal writes a number that is very small or very large. */
const SCIENTIFIC = /^([+-]?)(\d{1,40})(?:\.(\d{0,40}))?[eE]([+-]?\d{1,2})$/

/** SurrealDB's decimals have so many digits after the point; more are rounded away, if anything is left then. */
const MAX_SCALE = 28

/** Looks, token by token, for a decimal (tag 10) that is written with an exponent. */
export class DecimalWatch {
  /** There was one. */
  seen = false
  #tagged = false

  look({ type, value }: Token): void {
    if (this.#tagged && type === Type.string && SCIENTIFIC.test(value)) this.seen = true
    this.#tagged = type === Type.tag && value === TAG.decimal
  }
}

/**
 * The same bytes with the decimals of `DecimalWatch` written out: the real server reads an exponent, the engine refuses the
 * whole request. A number that the real server refuses is left as it is, for the engine to refuse.
 */
export function withoutExponents(bytes: Buffer): Buffer {
  const tokens = tokenize(bytes)
  const parts: Buffer[] = []
  let copied = 0
  let tagged = false
  while (!tokens.done()) {
    const start = tokens.pos()
    const token = tokens.next()
    const plain = tagged && token.type === Type.string ? writtenOut(token.value) : undefined
    if (plain !== undefined) {
      parts.push(bytes.subarray(copied, start), encodeValue(plain))
      copied = tokens.pos()
    }
    tagged = token.type === Type.tag && token.value === TAG.decimal
  }
  return Buffer.concat([...parts, bytes.subarray(copied)])
}

function writtenOut(text: string): string | undefined {
  const [, sign, whole, fraction = '', exponent] = SCIENTIFIC.exec(text) ?? []
  if (sign === undefined || whole === undefined) return undefined
  const scale = fraction.length - Number(exponent)
  const digits = `${whole}${fraction}`
  const significant = digits.replace(/^0+/, '').length
  if (scale < -MAX_SCALE || (scale > MAX_SCALE && significant <= scale - MAX_SCALE)) return undefined
  if (scale <= 0) return `${sign}${digits}${'0'.repeat(-scale)}`
  const padded = digits.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}
