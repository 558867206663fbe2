import { WebSocket } from 'ws'
import { dialProven, HANDSHAKE_MS, type ProveServer } from '../identity/proven-dial.ts'

/**
 * A WebSocket that talks only to the proven server, as `dialProven` says: a stranger on the port sees neither password nor token, nor calls
 * that are sent again.
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
    ...(url.protocol === 'ws:' && { createConnection: dialProven(prove, over.signal) as never }),
  })
  socket.once('close', () => over.abort())
  return socket
}
