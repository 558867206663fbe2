import { connect } from 'node:net'
import type { WaitStrategy } from './wait.ts'

/** Ready when the port accepts a connection. */
export function tcpAccepts(): WaitStrategy {
  return {
    what: 'its port to accept connections',
    ready: ({ host, port }) =>
      new Promise((resolve) => {
        const socket = connect({ host, port })
        const done = (ready: boolean): void => {
          socket.destroy()
          resolve(ready)
        }
        socket.once('connect', () => done(true))
        socket.once('error', () => done(false))
        socket.setTimeout(1_000, () => done(false))
      }),
  }
}
