// Plays the guardian for `throughput.mjs`: the embedded driver in memory, until its input ends.
import { createInterface } from 'node:readline'
import { embeddedSurreal } from '@procref/embedded'

const [port, user, password] = process.argv.slice(2)
const server = await embeddedSurreal({ storage: 'memory' }).launch({
  host: '127.0.0.1',
  port: Number(port),
  databaseDir: '/nonexistent',
  credentials: { user, password },
  logFd: 2,
  signal: new AbortController().signal,
})
await server.ready({ signal: AbortSignal.timeout(30_000) })
console.log('ready')
for await (const _line of createInterface({ input: process.stdin }));
server.terminate()
await server.ended
// The engine's threads would keep it alive.
process.exit(0)
