import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { ClientStream } from '../src/client-stream.ts'
import { UnfinishedMessages } from '../src/unfinished-messages.ts'

const MAX_MESSAGE_BYTES = 2 * 1024 * 1024
const [CONTINUED, TEXT, BYTES, PING] = [0, 1, 2, 9]

/** The connection, from the client's side. */
class Connection extends Duplex {
  readonly written: Buffer[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk)
    done()
  }
}

interface Frame {
  readonly opcode: number
  readonly isLast: boolean
  readonly payload: Buffer
}

function encoded({ opcode, isLast, payload }: Frame): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(payload.length))
  const stated =
    payload.length < 126
      ? Buffer.of(0x80 | payload.length)
      : payload.length < 65_536
        ? Buffer.concat([Buffer.of(0x80 | 126), length.subarray(6)])
        : Buffer.concat([Buffer.of(0x80 | 127), length])
  const mask = Buffer.of(payload.length & 0xff, 0x5a, 0xc3, 0x17)
  return Buffer.concat([Buffer.of((isLast ? 0x80 : 0) | opcode), stated, mask, masked(payload, mask)])
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return payload.map((byte, i) => byte ^ (mask[i & 3] as number)) as Buffer
}

function decoded(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    const [first, second] = [bytes.readUInt8(at), bytes.readUInt8(at + 1) & 0x7f]
    const length =
      second === 126 ? bytes.readUInt16BE(at + 2) : second === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : second
    const maskAt = at + (second === 126 ? 4 : second === 127 ? 10 : 2)
    at = maskAt + 4 + length
    const payload = masked(bytes.subarray(maskAt + 4, at), bytes.subarray(maskAt, maskAt + 4))
    frames.push({ opcode: first & 0x0f, isLast: first >= 0x80, payload })
  }
  return frames
}

/** What a receiver makes of frames: whole messages and, where they came, pings. */
function understood(frames: readonly Frame[]): string[] {
  const said: string[] = []
  let parts: Buffer[] = []
  for (const { opcode, isLast, payload } of frames) {
    if (opcode === PING) said.push(`ping ${payload.toString('hex')}`)
    else {
      expect(opcode === CONTINUED).toBe(parts.length > 0)
      parts.push(payload)
      if (!isLast) continue
      const message = Buffer.concat(parts)
      said.push(`message of ${message.length}: ${message.subarray(0, 9).toString('hex')} ${sum(message)}`)
      parts = []
    }
  }
  expect(parts).toEqual([])
  return said
}

function sum(bytes: Buffer): number {
  let result = 0
  for (const byte of bytes) result = (result * 31 + byte) % 2_147_483_647
  return result
}

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

function made(unfinished = new UnfinishedMessages(100 * MAX_MESSAGE_BYTES)): {
  connection: Connection
  stream: ClientStream
} {
  const connection = new Connection()
  return { connection, stream: new ClientStream(connection, { unfinished, maxMessageBytes: MAX_MESSAGE_BYTES }) }
}

test.each([1, 2, 3, 4])('whatever is sent, and however it is cut, is the same to who reads it (%i)', async (seed) => {
  const below = numbers(seed)
  const sizes = [0, 1, 125, 126, 5_000, 65_535, 65_536, 65_537, 200_000, 700_001]
  const payload = (): Buffer => {
    const start = below(256)
    return Buffer.alloc(sizes[below(sizes.length)] as number).map((_, i) => (start + i * 7) & 0xff) as Buffer
  }
  const sent: Frame[] = []
  for (let i = 0; i < 30; i++) {
    const parts = below(3) === 0 ? 1 + below(4) : 1
    for (let part = 0; part < parts; part++) {
      const opcode = part > 0 ? CONTINUED : below(2) === 0 ? TEXT : BYTES
      sent.push({ opcode, isLast: part === parts - 1, payload: payload() })
      if (below(4) === 0) sent.push({ opcode: PING, isLast: true, payload: Buffer.of(i, part) })
    }
    for (let j = below(3) === 0 ? 200 : 0; j > 0; j--) sent.push({ opcode: BYTES, isLast: true, payload: Buffer.of(j) })
  }
  const bytes = Buffer.concat(sent.map(encoded))
  const { connection, stream } = made()
  const received: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = below(4) === 0 ? 1 + below(20) : 1 + below(65_536)
    connection.push(bytes.subarray(at, at + length))
    at += length
  }
  connection.push(null)
  for await (const chunk of stream) received.push(chunk)
  const frames = decoded(Buffer.concat(received))
  expect(understood(frames)).toEqual(understood(sent))
  expect(Math.max(...frames.map((frame) => frame.payload.length))).toBeLessThan(200_000)
})

test('of many frames that come at once the first ones are passed on alone', async () => {
  const { connection, stream } = made()
  const frame = encoded({ opcode: BYTES, isLast: true, payload: Buffer.of(7) })
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  connection.push(Buffer.concat(Array.from({ length: 1_000 }, () => frame)))
  const turns: number[] = []
  while (bytes < 1_000 * frame.length) {
    const before = bytes
    await new Promise(setImmediate)
    turns.push((bytes - before) / frame.length)
  }
  expect(Math.max(...turns)).toBeLessThanOrEqual(64)
})

test('what is too long, or has no mask, is left as it is', async () => {
  for (const wrong of ['82ff0000000000200001aabbccdd', '827f0000000000100000']) {
    const { connection, stream } = made()
    const head = Buffer.from(wrong, 'hex')
    connection.push(Buffer.concat([head, Buffer.alloc(100_000, 1)]))
    connection.push(null)
    const received: Buffer[] = []
    for await (const chunk of stream) received.push(chunk)
    expect(Buffer.concat(received).equals(Buffer.concat([head, Buffer.alloc(100_000, 1)]))).toBe(true)
  }
})

test('who has heard nothing for the longest gives up when there is too much of unfinished messages', async () => {
  const unfinished = new UnfinishedMessages(1_100_000)
  const given: string[] = []
  const [silent, busy, done] = ['silent', 'busy', 'done'].map((name) => {
    const { connection, stream } = made(unfinished)
    stream.whenGivenUp(() => given.push(name))
    stream.resume()
    return connection
  })
  const long = encoded({ opcode: BYTES, isLast: true, payload: Buffer.alloc(400_000) })
  // What is complete does not count.
  done?.push(long)
  silent?.push(long.subarray(0, 300_000))
  busy?.push(long.subarray(0, 300_000))
  await new Promise(setImmediate)
  const part = encoded({ opcode: BYTES, isLast: false, payload: Buffer.alloc(350_000) })
  done?.push(part)
  await new Promise(setImmediate)
  expect(given).toEqual([])
  // With the rest of it a message counts no more.
  busy?.push(long.subarray(300_000))
  await new Promise(setImmediate)
  busy?.push(part)
  await new Promise(setImmediate)
  expect(given).toEqual([])
  busy?.push(encoded({ opcode: CONTINUED, isLast: false, payload: Buffer.alloc(150_000) }))
  await new Promise(setImmediate)
  expect(given).toEqual(['silent'])
  // It takes nothing any more, and counts no more.
  silent?.push(long.subarray(300_000))
  busy?.push(encoded({ opcode: CONTINUED, isLast: false, payload: Buffer.alloc(240_000) }))
  await new Promise(setImmediate)
  expect(given).toEqual(['silent'])
})
