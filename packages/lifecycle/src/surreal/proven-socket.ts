import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'

/** Throws when whoever listens there is not the recorded server. */
export type ProveServer = () => void

const HANDSHAKE_MS = 10_000

/**
 * A WebSocket that talks only to the proven server: not a byte is sent before the proof, so that a stranger on the port sees
 * neither password nor token, nor calls that are sent again.
 *
 *   OK:    prove, connect, prove again: who listened before and after has accepted this connection.
 *   WRONG: prove, then connect: the server dies in between, a stranger takes the port.
 *   WRONG: connect, then prove: a stranger accepts and leaves, the server comes back, and is proven.
 *
 * Of servers that we did not start, TLS proves those at `wss:`; at `ws:` (`external()` on this machine or in a trusted network) `prove`
 * finds everybody in order.
 */
export function openProvenSocket(url: URL, prove: ProveServer): WebSocket {
  const over = new AbortController()
  const socket = new WebSocket(url, 'cbor', {
    handshakeTimeout: HANDSHAKE_MS,
    // Compression costs more than it saves within one machine.
    perMessageDeflate: false,
    // Our own server's answers have no limit: one that was too large would end the connection, and be asked for again.
    maxPayload: 0,
    // The type knows only functions that return a socket; http.request() also takes one that is handed over later.
    ...(url.protocol === 'ws:' && { createConnection: dial(prove, over.signal) as never }),
  })
  socket.once('close', () => over.abort())
  return socket
}

type OnSocket = (error: Error | null, socket?: Socket) => void

/** For http.request(), which sends nothing before it was handed the socket. */
function dial(
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
