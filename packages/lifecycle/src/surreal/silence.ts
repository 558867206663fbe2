import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'

/**
 * Calls `act` when not a byte came over the open connection for `ms` (noticed within twice that), although the other side was asked: a
 * machine that lost its power, or a firewall that forgot the connection, says no goodbye, and the system would wait for it for a
 * quarter of an hour.
 *
 * Not called while something of ours is still to be sent: the question waits behind it. Caller: ping more often than that.
 */
export function onSilence(socket: WebSocket, ms: number, act: () => void): void {
  let looks: NodeJS.Timeout | undefined
  socket.once('upgrade', ({ socket: stream }: IncomingMessage) => {
    // Bytes, not messages: a pong comes behind the large answer that takes its time.
    let before = -1
    const silent = (): boolean =>
      socket.readyState === socket.OPEN && stream.bytesRead === before && socket.bufferedAmount === 0
    looks = setInterval(() => {
      // After what was already there is read: this program itself may have stood still for so long.
      if (silent()) setImmediate(() => silent() && act())
      else before = stream.bytesRead
    }, ms)
  })
  socket.once('close', () => clearInterval(looks))
}
