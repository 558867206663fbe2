import { within } from '@procref/testing'
import { CborCodec, Uuid } from 'surrealdb'
import { WebSocket } from 'ws'
import { PASSWORD, USER } from './server.ts'

export { Uuid }
export const codec = new CborCodec({})

export interface Message {
  readonly id?: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly kind: string; readonly message: string }
  readonly session?: Uuid
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A client that sends exactly what it is told to, and waits for nothing but what is asked for. */
export class RawClient implements AsyncDisposable {
  readonly socket: WebSocket
  /** Messages that answered no call: notifications, and answers without an id. */
  readonly unasked: Message[] = []
  readonly closed: Promise<Closed>
  #calls = new Map<unknown, (message: Message) => void>()
  #waiting: (() => void)[] = []
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on('error', () => {})
    socket.on('message', (data) => this.#receive(codec.decode(data as Buffer) as Message))
  }

  static async connect(port: number, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, 'cbor', { headers })
    const client = new RawClient(socket)
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    await within('the connection', opened)
    return client
  }

  /** Signed in as root, in the default namespace and database. */
  static async root(port: number): Promise<RawClient> {
    const client = await RawClient.connect(port)
    await client.result('signin', [{ user: USER, pass: PASSWORD }])
    await client.result('use', ['main', 'main'])
    return client
  }

  async call(method: string, params: readonly unknown[] = [], more: object = {}): Promise<Message> {
    const id = `${++this.#lastId}`
    const answer = new Promise<Message>((resolve) => this.#calls.set(id, resolve))
    this.socket.send(codec.encode({ id, method, params, ...more }))
    const lost = this.closed.then(({ code }) => {
      throw new Error(`disconnected with ${code} before '${method}' was answered`)
    })
    return await within(`the answer to '${method}'`, Promise.race([answer, lost]))
  }

  /** The result of a call that has to succeed. */
  async result(method: string, params?: readonly unknown[], more?: object): Promise<unknown> {
    const { result, error } = await this.call(method, params, more)
    if (error !== undefined) throw new Error(`'${method}' failed: ${error.message}`)
    return result
  }

  /** The results of statements that have to succeed. */
  async query(statements: string, variables: object = {}, more: object = {}): Promise<readonly unknown[]> {
    const results = (await this.result('query', [statements, variables], more)) as { status: string; result: unknown }[]
    return results.map(({ status, result }) => {
      if (status !== 'OK') throw new Error(`a statement of '${statements}' failed: ${result}`)
      return result
    })
  }

  /** The next message that answers no call. */
  async next(what: string): Promise<Message> {
    while (this.unasked.length === 0) {
      await within(what, new Promise<void>((resolve) => this.#waiting.push(resolve)))
    }
    return this.unasked.shift() as Message
  }

  send(bytes: Uint8Array | string): void {
    this.socket.send(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }

  #receive(message: Message): void {
    const call = this.#calls.get(message.id)
    if (call === undefined) {
      this.unasked.push(message)
      for (const wake of this.#waiting.splice(0)) wake()
      return
    }
    this.#calls.delete(message.id)
    call(message)
  }
}
