import { encodeValue } from './cbor.ts'
import { headAt, MAJOR, textAt } from './cbor-walk.ts'

/** `1E-7`, `-1.5e+20`: as Python's Decimal writes a number that is very small or very large. */
const SCIENTIFIC = /^([+-]?)(\d{1,40})(?:\.(\d{0,40}))?[eE]([+-]?\d{1,2})$/

/** Longer than any text of that form. */
const LONGEST = 100

/** SurrealDB's decimals have so many digits after the point; more are rounded away, if anything is left then. */
const MAX_SCALE = 28

/** Is the content of tag 10 at `at` a number written with an exponent? Throws if the bytes end before it. */
export function isScientific(bytes: Buffer, at: number): boolean {
  const { major, argument } = headAt(bytes, at)
  return major === MAJOR.text && (argument ?? 0) <= LONGEST && SCIENTIFIC.test(textAt(bytes, at))
}

/**
 * `part` of `frame` with the decimals at these places of the frame written out: the real server reads an exponent, the engine
 * refuses the whole request. A number that the real server refuses is left as it is, for the engine to refuse.
 */
export function withoutExponents(frame: Buffer, part: Buffer, places: readonly number[]): Buffer {
  const start = part.byteOffset - frame.byteOffset
  const end = start + part.length
  const pieces: Buffer[] = []
  let copied = start
  for (const at of places) {
    if (at < start || at >= end) continue
    const plain = writtenOut(textAt(frame, at))
    if (plain === undefined) continue
    const { argument = 0, end: textStart } = headAt(frame, at)
    pieces.push(frame.subarray(copied, at), encodeValue(plain))
    copied = textStart + argument
  }
  return Buffer.concat([...pieces, frame.subarray(copied, end)])
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
