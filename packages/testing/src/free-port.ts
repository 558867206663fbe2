import { createServer } from 'node:net'

/** Below the ports that Linux gives to whoever binds or connects without asking for one (ip_local_port_range begins at 32768). */
const FIRST = 20_000
const COUNT = 12_000

/**
 * A port of 127.0.0.1 that could be bound a moment ago, for somebody who binds it later.
 *   WRONG: one that the system chose: until it is bound the system gives it to whoever asks next, a client's connection too.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await canBind(port)) return port
  }
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
