import { encodeMap } from './cbor.ts'
import type { Engine } from './engine.ts'
import { ReadingOrder } from './reading-order.ts'
import type { RpcClient } from './rpc-client.ts'
import { internal } from './rpc-errors.ts'
import { JSON_FORMAT, UNREADABLE } from './wire-format.ts'
import type { Conversation } from './ws-connection.ts'

/** A client that speaks JSON. Notifications keep their order, although each may have to wait for the engine to write it. */
export class JsonConversation implements Conversation {
  readonly #engine: Engine
  readonly #client: RpcClient
  readonly #reading = new ReadingOrder()
  #delivered: Promise<void> = Promise.resolve()

  constructor(
    engine: Engine,
    makeClient: (deliver: (frame: Buffer) => void) => RpcClient,
    deliver: (text: string) => void,
  ) {
    this.#engine = engine
    this.#client = makeClient((frame) => {
      const text = this.#write(frame)
      this.#delivered = this.#delivered.then(async () => deliver(await text))
    })
  }

  /** Never rejects. */
  async handle(message: Buffer): Promise<string | readonly string[]> {
    const read = this.#reading.next(() => JSON_FORMAT.read(message))
    const frame = read instanceof Promise ? await read : read
    const answer = await this.#client.handle(frame ?? UNREADABLE)
    return Buffer.isBuffer(answer) ? await this.#write(answer) : await this.#writeAll(answer)
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#delivered
  }

  async #writeAll(frames: readonly Buffer[]): Promise<readonly string[]> {
    const texts: string[] = []
    for (const frame of frames) texts.push(await this.#write(frame))
    return texts
  }

  async #write(frame: Buffer): Promise<string> {
    try {
      return `${await JSON_FORMAT.write(this.#engine, frame)}`
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      return `${await JSON_FORMAT.write(this.#engine, encodeMap([['error', internal(message)]]))}`
    }
  }
}
