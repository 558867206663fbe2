import { within } from '@procref/testing'
import { codec, Uuid } from '../../../packages/embedded/test/raw-client.ts'
import { PASSWORD, USER } from '../../../packages/embedded/test/server.ts'
import { TextClient } from '../../../packages/embedded/test/text-client.ts'
import { callsOf } from '../calls.ts'
import { FuzzedServer } from '../fuzzed-server.ts'
import { mutatedBytes } from '../mutated-bytes.ts'
import { fuzzTarget } from '../target.ts'

const text = new TextDecoder('utf-8', { fatal: true })

interface Format {
  readonly name: 'cbor' | 'json'
  encode(value: unknown): Buffer
  decode(frame: Buffer): unknown
  readonly isBinary: boolean
  readonly samples: readonly Buffer[]
}

const cbor = (value: unknown): Buffer => Buffer.from(codec.encode(value))
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** A list of values that CBOR has a tag of SurrealDB's for, and of large ones. */
const VALUES = [
  '89',
  // A record id, a decimal, a duration, a datetime.
  'c882617482616101 ca64312e3530 ce82190e1002 cc821a6955b9001a075bcd15',
  // Bytes, the largest integer, a UUID, a point, a range.
  '4200ff 1b7fffffffffffffff d825500123456789abcdef0123456789abcdef d85882fb3ff0000000000000fb4000000000000000 d83182d83201d83302',
].join('')

/** A call with these values instead of the null at its end. */
function withValues(): Buffer {
  const call = cbor({ id: 'values', method: 'query', params: ['RETURN $v', { v: null }] })
  return Buffer.concat([call.subarray(0, -1), Buffer.from(VALUES.replaceAll(' ', ''), 'hex')])
}

const FORMATS: readonly Format[] = [
  {
    name: 'cbor',
    encode: cbor,
    decode: (frame) => codec.decode(frame),
    isBinary: true,
    samples: [...callsOf((uuid) => new Uuid(uuid)).map(cbor), withValues()],
  },
  {
    name: 'json',
    encode: json,
    decode: (frame) => JSON.parse(text.decode(frame)),
    isBinary: false,
    samples: callsOf((uuid) => uuid).map(json),
  },
]

/** After so many inputs on one connection it is left, and another one made: what was done to its session shall not last. */
const INPUTS_A_CONNECTION = 50
/** What ends a connection rightly: told to, a broken frame or text, too long, come again later. 1011 would be a fault of ours. */
const RIGHT_ENDS: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1013])

/** A WebSocket whose every frame from the server is decoded. */
class Speaker {
  readonly #client: TextClient
  readonly #format: Format
  readonly #answered = new Map<unknown, () => void>()
  readonly closed: Promise<number>
  #broken: Error | undefined
  #ids = 0

  private constructor(client: TextClient, format: Format) {
    this.#client = client
    this.#format = format
    this.closed = new Promise((resolve) => client.socket.once('close', resolve))
    client.socket.on('message', (frame: Buffer) => this.#receive(frame))
  }

  static async open(port: number, format: Format): Promise<Speaker> {
    return new Speaker(await TextClient.open(port, { protocols: [format.name] }), format)
  }

  /** Resolves with whether it is still connected once a call that was made afterwards is answered. */
  async say(input: Buffer): Promise<boolean> {
    this.#client.socket.send(input, { binary: this.#format.isBinary })
    const answered = this.call('ping', []).then(() => true)
    const closed = this.closed.then((code) => {
      if (!RIGHT_ENDS.has(code)) throw new Error(`the connection ended with ${code}`)
      return false
    })
    const goesOn = await within('an answer, or the end', Promise.race([answered, closed]))
    if (this.#broken !== undefined) throw this.#broken
    return goesOn
  }

  async call(method: string, params: readonly unknown[]): Promise<void> {
    const id = `own ${++this.#ids}`
    const answered = new Promise<void>((resolve) => this.#answered.set(id, resolve))
    this.#client.socket.send(this.#format.encode({ id, method, params }), { binary: this.#format.isBinary })
    await answered
  }

  async leave(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  #receive(frame: Buffer): void {
    let message: unknown
    try {
      message = this.#format.decode(frame)
    } catch (error) {
      this.#broken = new Error(`a frame cannot be decoded: ${frame.toString('latin1')}`, { cause: error })
      return
    }
    const { id, error } = (message ?? {}) as { id?: unknown; error?: { message?: unknown } }
    if (error !== undefined && typeof error?.message !== 'string') {
      this.#broken = new Error(`an error without a message: ${JSON.stringify(message)}`)
    }
    this.#answered.get(id)?.()
    this.#answered.delete(id)
  }
}

export const messageTargets = FORMATS.flatMap((format) =>
  (['nobody', 'root'] as const).map((who) =>
    fuzzTarget<Buffer>({
      name: `${format.name}-${who}`,
      title: `messages in ${format.name.toUpperCase()} over a WebSocket, ${who === 'root' ? 'signed in' : 'before anybody has signed in'}`,
      inputs: mutatedBytes(
        // Whoever may not sign in stays nobody.
        who === 'root' ? format.samples : format.samples.filter((sample) => !sample.includes(PASSWORD)),
      ),
      sample: 1_000,
      async open() {
        const server = new FuzzedServer()
        let speaker: Speaker | undefined
        let said = 0
        const speak = async (): Promise<Speaker> => {
          const opened = await Speaker.open(await server.port(), format)
          if (who === 'root') {
            await opened.call('signin', [{ user: USER, pass: PASSWORD }])
            await opened.call('use', ['main', 'main'])
          }
          return opened
        }
        const leave = async (): Promise<void> => {
          await speaker?.leave()
          speaker = undefined
          said = 0
        }
        return {
          async feed(input) {
            try {
              speaker ??= await speak()
              const goesOn = await speaker.say(input)
              await server.check(who === 'root' ? 'whatever is in it' : 'and has all its rows')
              if (!goesOn || ++said >= INPUTS_A_CONNECTION) await leave()
            } catch (error) {
              await leave()
              throw error
            }
          },
          async settle() {
            await leave()
            await server.settle()
          },
          async [Symbol.asyncDispose]() {
            await leave()
            await server[Symbol.asyncDispose]()
          },
        }
      },
    }),
  ),
)
