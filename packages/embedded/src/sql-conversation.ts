import { isUtf8 } from 'node:buffer'
import { encodeArray, encodeText } from './cbor.ts'
import type { Engine } from './engine.ts'
import { messageOf } from './http-client.ts'
import type { RpcClient } from './rpc-client.ts'
import { JSON_FORMAT } from './wire-format.ts'
import type { Conversation } from './ws-connection.ts'

/**
 * `/sql` as a WebSocket: each message is statements as text, answered one after the other with their results as JSON, or with the
 * bare text of an error. A message that is no text is not answered. Nothing of a message lasts until the next.
 */
export class SqlConversation implements Conversation {
  readonly #engine: Engine
  readonly #client: RpcClient
  #last: Promise<unknown> = Promise.resolve()

  constructor(engine: Engine, client: RpcClient) {
    this.#engine = engine
    this.#client = client
  }

  /** Never rejects. */
  handle(message: Buffer): Promise<string | undefined> {
    const answered = this.#last.then(() => this.#answer(message))
    this.#last = answered
    return answered
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #answer(message: Buffer): Promise<string | undefined> {
    if (!isUtf8(message)) return undefined
    const answer = await this.#client.call({ method: 'query', params: encodeArray([encodeText(message)]) })
    if ('error' in answer) return messageOf(answer)
    try {
      return `${await JSON_FORMAT.write(this.#engine, answer.result)}`
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause)
    }
  }
}
