// A server: `HOST PORT` on a line makes it listen there, `deaf` makes it close the listener and keep its connections.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { say, sayFailed } from '@procref/testing/child'

const server = createServer()
server.on('error', sayFailed)
server.on('connection', (socket) => {
  socket.on('error', () => {})
  say('accepted')
})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === 'deaf') {
    // The listener is closed at once; the callback would wait for the connections.
    server.close()
    setImmediate(() => say('deaf'))
    return
  }
  const [host, port] = line.split(' ')
  server.listen(Number(port), host, () => say('listening', { port: server.address().port }))
})
lines.on('close', () => process.exit(0))
say('ready')
