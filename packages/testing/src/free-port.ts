import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the ports that Linux gives to whoever binds or connects without asking for one (ip_local_port_range begins at 32768), and also below those
 * that guardians choose (packages/lifecycle/src/guardian/port.ts).
 */
const FIRST = 10_000
const LAST = 19_999
const TRIES = 1_000

/**
 * A port of 127.0.0.1 that could be bound a moment ago, for somebody who binds it later, or again. Only another one who calls this can take it meanwhile.
 *   WRONG: one that the system chose: until it is bound the system gives it to whoever asks next, a client's connection too.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST, LAST + 1)
    if (await canBind(port)) return port
  }
  throw new Error(`of ${TRIES} ports from ${FIRST} to ${LAST} none is free`)
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
