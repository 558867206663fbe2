import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { eventually } from '@procref/conformance/harness'

/** Below the ports that the kernel gives to whoever asks for any (from 32768 on). */
const FIRST = 20_000
const LAST = 31_999

/**
 * A loopback port that was free a moment ago, and that nobody gets by chance who listens on any port or connects to somewhere: for a server that is started
 * later, or that is to come back on its port. Unspecified: whether somebody else who uses this function is given the same one.
 */
export async function quietPort(): Promise<number> {
  return await eventually('a free port', async () => {
    const port = randomInt(FIRST, LAST + 1)
    return (await isFree(port)) && port
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
