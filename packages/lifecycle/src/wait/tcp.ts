import { connect } from 'node:net'
import { isNotYet } from './not-yet.ts'
import type { WaitStrategy } from './wait.ts'

const ANSWER_MS = 1_000

/** Ready when the port accepts a connection. */
export function tcpAccepts(): WaitStrategy {
  return {
    what: 'its port to accept connections',
    tellsHealth: true,
    look: ({ host, port, signal, answerMs = ANSWER_MS }) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port })
        // By hand: Node leaves its own listener on the signal for each socket, and there may be hundreds until a server is ready.
        const abort = (): void => void socket.destroy(signal.reason)
        const done = (missing: string | undefined): void => {
          socket.destroy()
          resolve(missing)
        }
        if (signal.aborted) abort()
        else signal.addEventListener('abort', abort)
        socket.once('close', () => signal.removeEventListener('abort', abort))
        socket.once('connect', () => done(undefined))
        socket.on('error', (error) => {
          if (isNotYet(error)) done(`${host}:${port} answers ${error.code}`)
          else reject(error)
        })
        socket.setTimeout(answerMs, () => done(`${host}:${port} does not answer`))
      }),
  }
}
