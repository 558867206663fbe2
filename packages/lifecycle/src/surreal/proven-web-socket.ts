import { connect, type Socket } from 'node:net'
import { WebSocket as Client } from 'ws'

/** Throws when whoever listens there is not the recorded server. */
export type ProveServer = () => void

/**
 * A WebSocket class that talks only to the proven server: the proof is asked for when the connection exists and before
 * the first byte is sent over it, so that a stranger on the port sees neither password nor token. The SDK sends either by
 * itself after each reconnect, which is why its `authentication` callback would be too late.
 */
export function provenWebSocket(prove: ProveServer): typeof WebSocket {
  class ProvenWebSocket extends Client {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, {
        createConnection: ((options: { host: string; port: number }) => dial(options, prove)) as never,
      })
    }
  }
  // ws implements the standard interface; only the types of its events are its own.
  return ProvenWebSocket as unknown as typeof WebSocket
}

function dial(options: { readonly host: string; readonly port: number }, prove: ProveServer): Socket {
  const socket = connect({ host: options.host, port: options.port, noDelay: true })
  // The first listener, so that it runs before the one which sends the request.
  socket.once('connect', () => {
    try {
      prove()
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  return socket
}
