import { connect, type Socket } from 'node:net'

/** Throws when whoever listens there is not the recorded server. */
export type ProveServer = () => void

/** Until the connection is there, and again until its protocol is. */
export const HANDSHAKE_MS = 10_000

type OnSocket = (error: Error | null, socket?: Socket) => void

/**
 * `createConnection` of http.request(), which sends nothing before it was handed the socket: not a byte is sent before the proof.
 *
 *   OK:    prove, connect, prove again: who listened before and after has accepted this connection.
 *   WRONG: prove, then connect: the server dies in between, a stranger takes the port.
 *   WRONG: connect, then prove: a stranger accepts and leaves, the server comes back, and is proven.
 */
export function dialProven(
  prove: ProveServer,
  over: AbortSignal,
): (address: { readonly host: string; readonly port: number }, done: OnSocket) => void {
  return ({ host, port }, done) => {
    try {
      prove()
    } catch (error) {
      return done(error as Error)
    }
    const socket = connect({ host, port, noDelay: true, signal: over })
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(new Error(`${host}:${port} does not accept connections`)))
    socket.once('error', done)
    socket.once('connect', () => {
      try {
        prove()
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
