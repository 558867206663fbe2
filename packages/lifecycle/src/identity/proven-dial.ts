import { connect, type Socket } from 'node:net'

/** Where a connection is made to. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Throws when whoever listens at the address that is dialled is not the recorded server. */
export type ProveServer = (dialled: Address) => void

/** Whoever listens there is not the server: not a byte was sent to it. */
export class NotProvenError extends Error {}

/** Until the connection is there, and again until its protocol is. */
export const HANDSHAKE_MS = 10_000

/** As a dial that the system gives up (`ETIMEDOUT`), only sooner. */
class NotAcceptedError extends Error {
  readonly code = 'ETIMEDOUT'
  constructor(host: string, port: number) {
    super(`${host}:${port} does not accept connections`)
  }
}

type OnSocket = (error: Error | null, socket?: Socket) => void

/**
 * `createConnection` of http.request(), which sends nothing before it was handed the socket: not a byte is sent before the proof.
 *
 *   OK:    prove, connect, prove again: who listened before and after has accepted this connection.
 *   WRONG: prove, then connect: the server dies in between, a stranger takes the port.
 *   WRONG: connect, then prove: a stranger accepts and leaves, the server comes back, and is proven.
 *   WRONG: prove the server wherever it is recorded now: a dial that began before it moved goes to its old port, where a stranger is.
 */
export function dialProven(
  prove: ProveServer,
  over: AbortSignal,
  handshakeMs: number = HANDSHAKE_MS,
): (address: { readonly host: string; readonly port: number | string }, done: OnSocket) => void {
  return (address, done) => {
    // As a URL has it the port is a text.
    const { host, port } = { host: address.host, port: Number(address.port) }
    try {
      prove({ host, port })
    } catch (error) {
      return done(error as Error)
    }
    const socket = connect({ host, port, noDelay: true, signal: over })
    socket.setTimeout(handshakeMs, () => socket.destroy(new NotAcceptedError(host, port)))
    socket.once('error', done)
    socket.once('connect', () => {
      try {
        prove({ host, port })
      } catch (error) {
        socket.destroy(error as Error)
        return
      }
      socket.setTimeout(0)
      socket.off('error', done)
      done(null, socket)
    })
  }
}
