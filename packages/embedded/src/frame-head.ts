/** What a frame of a WebSocket begins with (RFC 6455, 5.2). Whatever may not be is left for `ws` to refuse. */
export interface FrameHead {
  /** The first byte: whether the message ends with this frame, what it is, and three bits that are reserved. */
  readonly first: number
  readonly isLast: boolean
  /** Bytes of its payload. Beyond 2^53 it is not exact. */
  readonly payload: number
  readonly mask: Buffer | undefined
  /** Of the head itself, in bytes. */
  readonly length: number
}

const LAST = 0x80
const OPCODE = 0x0f
const MASKED = 0x80
const LENGTH = 0x7f
const TWO_BYTES = 126
const EIGHT_BYTES = 127
const MASK_BYTES = 4
const TEXT = 1
const BINARY = 2

/** `undefined`: it has not arrived in full. */
export function frameHeadAt(bytes: Buffer, at: number): FrameHead | undefined {
  if (bytes.length - at < 2) return undefined
  const first = bytes[at] as number
  const second = bytes[at + 1] as number
  const stated = second & LENGTH
  const maskAt = at + 2 + (stated === TWO_BYTES ? 2 : stated === EIGHT_BYTES ? 8 : 0)
  const end = maskAt + (second & MASKED ? MASK_BYTES : 0)
  if (end > bytes.length) return undefined
  return {
    first,
    isLast: (first & LAST) !== 0,
    payload:
      stated === TWO_BYTES ? bytes.readUInt16BE(at + 2) : stated === EIGHT_BYTES ? longLengthAt(bytes, at + 2) : stated,
    mask: second & MASKED ? bytes.subarray(maskAt, end) : undefined,
    length: end - at,
  }
}

/** A message or part of one, as opposed to ping, pong and close. */
export function isMessage({ first }: FrameHead): boolean {
  return (first & OPCODE) <= BINARY
}

/** The head of a fragment of this frame, of the bytes from `start` on. A text is called bytes: whoever gets them looks at them himself. */
export function fragmentHead(frame: FrameHead, start: number, length: number): Buffer {
  const { first, mask, payload } = frame
  if (mask === undefined) throw new Error('only a frame with a mask is taken apart')
  const head = Buffer.allocUnsafe(2 + 8 + MASK_BYTES)
  const opcode = first & OPCODE
  const reserved = first & ~LAST & ~OPCODE
  const isLast = start + length === payload
  head[0] = (start === 0 ? reserved | (opcode === TEXT ? BINARY : opcode) : 0) | (isLast ? first & LAST : 0)
  head[1] = MASKED | EIGHT_BYTES
  head.writeUInt32BE(0, 2)
  head.writeUInt32BE(length, 6)
  for (let i = 0; i < MASK_BYTES; i++) head[10 + i] = mask[(start + i) % MASK_BYTES] as number
  return head
}

function longLengthAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
