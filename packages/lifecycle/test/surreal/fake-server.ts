import type { AddressInfo } from 'node:net'
import { CborCodec } from 'surrealdb'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

export interface Asked {
  /** Which connection, counted from 1. */
  readonly connection: number
  readonly method: string
  readonly params: readonly unknown[]
}

/** What becomes of a request: its result, an error, no answer at all, nonsense, or the end of the connection. */
export type Reply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  | 'silence'
  | 'garbage'
  | 'drop'

export interface FakeServer {
  readonly url: string
  readonly port: number
  /** Everything it was asked, in order. */
  readonly asked: readonly Asked[]
  /** Every byte it was sent, as text. */
  heard(): string
  connections(): number
  close(): Promise<void>
}

const codec = new CborCodec({})

const MANNERS: Readonly<Record<string, (params: readonly unknown[]) => Reply>> = {
  version: () => ({ result: 'surrealdb-3.3.5' }),
  use: ([namespace, database]) => ({ result: { namespace, database } }),
  signin: () => ({ result: 'a token' }),
  query: () => ({ result: [{ status: 'OK', time: '1ms', result: 'answered' }] }),
}

/** Speaks as much of SurrealDB's protocol as the SDK needs, and does what a test wants at any step of it. */
export async function startFakeServer(
  reply: (asked: Asked) => Reply | undefined = () => undefined,
  port = 0,
): Promise<FakeServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port, handleProtocols: () => 'cbor' })
  const asked: Asked[] = []
  const heard: Buffer[] = []
  let connections = 0
  server.on('connection', (socket) => {
    const connection = ++connections
    socket.on('error', () => {})
    socket.on('message', (data: Buffer) => {
      heard.push(data)
      const { id, method, params = [] } = codec.decode<{ id: string; method: string; params?: unknown[] }>(data)
      const request = { connection, method, params }
      asked.push(request)
      answer(socket, id, reply(request) ?? MANNERS[method]?.(params) ?? { result: null })
    })
  })
  await new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const close = async (): Promise<void> => {
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  const own = (server.address() as AddressInfo).port
  return {
    url: `ws://127.0.0.1:${own}/rpc`,
    port: own,
    asked,
    heard: () => Buffer.concat(heard).toString('latin1'),
    connections: () => connections,
    close,
  }
}

function answer(socket: WebSocket, id: string, reply: Reply): void {
  if (reply === 'drop') socket.terminate()
  else if (reply === 'garbage') socket.send(Buffer.from('not CBOR'))
  else if (reply !== 'silence') socket.send(codec.encode({ id, ...reply }))
}
