import type { Interruptible } from './turns.ts'

/** Copied before others get a turn: about a millisecond. */
const BYTES_AT_ONCE = 1024 * 1024

/** All pieces in one, a little at a time. */
export function* joinInSteps(pieces: readonly Uint8Array[]): Interruptible<Buffer> {
  const joined = Buffer.allocUnsafeSlow(lengthOf(pieces))
  let [at, copied] = [0, 0]
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += BYTES_AT_ONCE) {
      const part = piece.subarray(from, from + BYTES_AT_ONCE)
      joined.set(part, at)
      at += part.length
      copied += part.length
      if (copied < BYTES_AT_ONCE) continue
      copied = 0
      yield
    }
  }
  return joined
}

export function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0
  for (const piece of pieces) length += piece.length
  return length
}
