import type { Interruptible } from './turns.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decoded before others get a turn: about a millisecond. */
const BYTES_AT_ONCE = 512 * 1024

/** Undefined: these bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The same, a piece at a time. */
export function* decodeLongUtf8(bytes: Uint8Array): Interruptible<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const pieces: string[] = []
  try {
    for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE) {
      pieces.push(decoder.decode(bytes.subarray(at, at + BYTES_AT_ONCE), { stream: true }))
      yield
    }
    pieces.push(decoder.decode())
  } catch {
    return undefined
  }
  return pieces.join('')
}
