import type { IncomingMessage } from 'node:http'
import { within } from '@procref/testing'
import { WebSocket } from 'ws'

export interface TextClientOptions {
  readonly path?: string
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** A WebSocket that sends frames as they are, one at a time, and keeps what comes as it came. */
export class TextClient implements AsyncDisposable {
  readonly socket: WebSocket
  readonly closed: Promise<string>
  readonly #received: string[] = []
  readonly #waiting: (() => void)[] = []

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('message', (data: Buffer, isBinary) =>
      this.#receive(isBinary ? `binary ${data.toString('hex')}` : `${data}`),
    )
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        const how = `closed ${code} ${reason}`
        this.#receive(how)
        resolve(how)
      })
    })
  }

  /** A client, or the status it was refused with. */
  static async connect(port: number, options: TextClientOptions = {}): Promise<TextClient | number> {
    const { path = '/rpc', protocols = ['json'], headers = {} } = options
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], { headers })
    const client = new TextClient(socket)
    const opened = new Promise<TextClient | number>((resolve, reject) => {
      socket.once('open', () => resolve(client))
      socket.once('unexpected-response', (_request, { statusCode = 0 }: IncomingMessage) => {
        socket.terminate()
        resolve(statusCode)
      })
      socket.once('error', reject)
    })
    return await within('the connection', opened)
  }

  static async open(port: number, options?: TextClientOptions): Promise<TextClient> {
    const client = await TextClient.connect(port, options)
    if (typeof client === 'number') throw new Error(`refused with ${client}`)
    return client
  }

  async ask(frame: string | Uint8Array): Promise<string> {
    this.socket.send(frame)
    return await this.next(`the answer to ${String(frame).slice(0, 80)}`)
  }

  async next(what: string): Promise<string> {
    while (this.#received.length === 0) {
      await within(what, new Promise<void>((resolve) => this.#waiting.push(resolve)))
    }
    return this.#received.shift() as string
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }

  #receive(message: string): void {
    this.#received.push(message)
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** What a JSON text says, numbers as they are written: `1.0` and `1` are two. Anything else stays as it is. */
export function jsonValue(text: string): unknown {
  const kept = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `"number ${token}"`,
  )
  try {
    return JSON.parse(kept)
  } catch {
    return text
  }
}
