import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'

/** Questions in a row. */
const UNANSWERED = 2

/**
 * Pings every `ms` while the connection is open. Calls `onSilence` when two of these in a row had no answer, not a single byte, for `ms`
 * each: a machine that lost its power, or a firewall that forgot the connection, says no goodbye, and the system would wait for it for a
 * quarter of an hour.
 *
 * Not called while something of ours is still to be sent: the question waits behind it. Nor because this program stood still itself: its
 * time counts only once it has asked.
 */
export function keepAsking(socket: WebSocket, ms: number, onSilence: () => void): void {
  let questions: NodeJS.Timeout | undefined
  socket.once('upgrade', ({ socket: stream }: IncomingMessage) => {
    // Bytes, not messages: a pong comes behind the large answer that takes its time.
    let before = -1
    let unanswered = 0
    const silent = (): boolean => stream.bytesRead === before && socket.bufferedAmount === 0
    questions = setInterval(() => {
      if (socket.readyState !== socket.OPEN) return
      unanswered = silent() ? unanswered + 1 : 0
      // After what was already there is read.
      if (unanswered >= UNANSWERED) setImmediate(() => silent() && onSilence())
      before = stream.bytesRead
      socket.ping()
    }, ms)
  })
  socket.once('close', () => clearInterval(questions))
}
