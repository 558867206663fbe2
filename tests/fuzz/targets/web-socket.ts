import { codec, Uuid } from '../../../packages/embedded/test/raw-client.ts'
import { callsOf } from '../calls.ts'
import { FuzzedServer } from '../fuzzed-server.ts'
import { mutatedBytes } from '../mutated-bytes.ts'
import { exchangeAfter } from '../raw-exchange.ts'
import { fuzzTarget } from '../target.ts'

const MASK = Buffer.from('01020304', 'hex')

const HANDSHAKE = [
  'GET /rpc HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol: cbor',
  '',
  '',
].join('\r\n')

/** RFC 6455, 5.2: FIN and opcode, mask bit and length, mask, payload. */
function frame(opcode: number, payload: Uint8Array, isLast = true): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : 4)
  head[0] = (isLast ? 0x80 : 0) | opcode
  head[1] = 0x80 | Math.min(length, 126)
  if (length >= 126) head.writeUInt16BE(length, 2)
  const masked = payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0))
  return Buffer.concat([head, MASK, masked])
}

const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

const messages = callsOf((uuid) => new Uuid(uuid)).map((call) => Buffer.from(codec.encode(call)))
const whole = messages.map((message) => frame(BINARY, message))
const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = messages

const SAMPLES = [
  ...whole,
  Buffer.concat(whole),
  Buffer.concat([
    frame(BINARY, first.subarray(0, 4), false),
    frame(PING, Buffer.from('x')),
    frame(CONTINUATION, first.subarray(4)),
  ]),
  Buffer.concat([frame(TEXT, second), frame(PONG, Buffer.alloc(0)), frame(CLOSE, Buffer.from('03e8', 'hex'))]),
  frame(CLOSE, Buffer.from('03e9676f6e65', 'hex')),
]

/** RFC 6455, 7.4: what may be sent. A client's own code comes back, so that each of them may. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
}

export const webSocketTarget = fuzzTarget<Buffer>({
  name: 'web-socket-frames',
  title: 'frames of a WebSocket, before anybody has signed in',
  inputs: mutatedBytes(SAMPLES),
  sample: 750,
  async open() {
    const server = new FuzzedServer()
    return {
      async feed(input) {
        const { head, rest } = await exchangeAfter(await server.port(), HANDSHAKE, input)
        if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`it refused a WebSocket: ${head}`)
        checkFrames(rest)
        // The password is in one sample, but nobody has chosen a database with it that this one is in.
        await server.check('whatever is in it')
      },
      settle: () => server.settle(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
})

/** What a server may send: whole frames without a mask, of an opcode that exists, and a reason for the end that is no fault of ours. */
function checkFrames(bytes: Buffer): void {
  let rest = bytes
  while (rest.length > 0) {
    const [first = 0, second = 0] = rest
    const short = second & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (rest.length < start) throw new Error(`it sent half a frame: ${rest.toString('hex')}`)
    const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    if ((second & 0x80) !== 0 || (first & 0x70) !== 0)
      throw new Error(`it sent a frame with head ${rest.toString('hex', 0, start)}`)
    if (rest.length < start + length) throw new Error(`it sent ${rest.length} bytes of a frame of ${start + length}`)
    const opcode = first & 0x0f
    if (![CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode))
      throw new Error(`it sent a frame of opcode ${opcode}`)
    const payload = rest.subarray(start, start + length)
    const code = opcode === CLOSE && payload.length >= 2 ? payload.readUInt16BE(0) : undefined
    if (code !== undefined && !mayBeSent(code)) throw new Error(`it ended with ${code} ${payload.toString('utf8', 2)}`)
    rest = rest.subarray(start + length)
  }
}
