import { encodeValue } from './cbor.ts'
import { headAt, MAJOR } from './cbor-walk.ts'

/** `1E-7`, `-1.5e+20`: as Python's Decimal writes a number that is very small or very large. */
const SCIENTIFIC = /^([+-]?)(\d{1,40})(?:\.(\d{0,40}))?[eE]([+-]?\d{1,2})$/

/** More than the pattern has room for. */
const LONGEST = 100

/** SurrealDB's decimals have so many digits after the point; more are rounded away, if anything is left then. */
const MAX_SCALE = 28

/** Is the content of tag 10 at `at` a decimal that is written with an exponent? Throws if the bytes end before it. */
export function hasExponent(bytes: Buffer, at: number): boolean {
  const { major, argument, end } = headAt(bytes, at)
  if (major !== MAJOR.text || argument === undefined || argument > LONGEST) return false
  return SCIENTIFIC.test(bytes.toString('latin1', end, end + argument))
}

/**
 * The same bytes with the decimals at these places, of which `hasExponent` is true, written out: the real server reads an exponent,
 * the engine refuses the whole request. A number that the real server refuses is left as it is, for the engine to refuse.
 */
export function withoutExponents(bytes: Buffer, places: readonly number[]): Buffer {
  const parts: Buffer[] = []
  let copied = 0
  for (const at of places) {
    const { argument = 0, end } = headAt(bytes, at)
    const plain = writtenOut(bytes.toString('latin1', end, end + argument))
    if (plain === undefined) continue
    parts.push(bytes.subarray(copied, at), encodeValue(plain))
    copied = end + argument
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
