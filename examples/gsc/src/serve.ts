import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { log } from './log.ts'
import type { Store } from './store.ts'

/**
 * Serves one client over standard input and output and ends the process when that client is gone (its end of the pipes is
 * closed, whatever it died of) or a signal asks for it: calls are cancelled, the lease is given back, exit code 0.
 *
 * The database is connected in the background, since starting it can take longer than clients wait for `initialize`. If that
 * fails it is logged, and the first call that needs the database tries again and answers with the reason.
 */
export async function serveStdio(server: McpServer, store: Store): Promise<void> {
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    log(`ends: ${why}`)
    // The first of them, at once, aborts the calls that still run.
    void Promise.allSettled([server.close(), store.close()]).then(() => process.exit(0))
  }
  process.stdin.once('end', () => end('standard input ended'))
  process.stdin.once('close', () => end('standard input was closed'))
  process.stdout.on('error', (error) => end(`standard output: ${error.message}`))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => end(signal))
  await server.connect(new StdioServerTransport())
  store.lease().catch((error: Error) => log(`no database yet: ${error.message}`))
}
