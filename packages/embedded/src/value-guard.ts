import { headAt, MAJOR } from './cbor-walk.ts'

const MAX_SECONDS = 2n ** 64n - 1n
const NANOS_PER_SECOND = 1_000_000_000n

/**
 * Is the content of tag 14 at `at` a duration at which the engine panics, which ends the process? Nobody has to be signed in for
 * it. One is known: `[seconds, nanoseconds]` whose nanoseconds carry its seconds past 64 bits. There are many ways to write a
 * number in CBOR, so a duration whose parts are not plain numbers counts as fatal too; nobody writes one.
 *
 * Throws if the bytes end before it.
 */
export function isFatalDuration(bytes: Buffer, at: number): boolean {
  const list = headAt(bytes, at)
  if (list.major !== MAJOR.array) return true
  const parts: bigint[] = []
  let next = list.end
  for (let i = 0; list.argument === undefined ? bytes[next] !== BREAK : i < list.argument; i++) {
    const part = headAt(bytes, next)
    if (part.major !== MAJOR.uint) return true
    parts.push(exactArgument(bytes, next, part.end))
    // More parts than a duration has: none that the engine would take for one.
    if (parts.length > 2) return true
    next = part.end
  }
  const [seconds = 0n, nanos = 0n] = parts
  return seconds + nanos / NANOS_PER_SECOND > MAX_SECONDS
}

const BREAK = 0xff

function exactArgument(bytes: Buffer, at: number, end: number): bigint {
  if (end - at === 1) return BigInt((bytes[at] as number) & 31)
  return BigInt(`0x${bytes.toString('hex', at + 1, end)}`)
}
