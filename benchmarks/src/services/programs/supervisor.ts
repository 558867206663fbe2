// The idea of testcontainers' reaper, for a local server: `supervisor.js DIR SETTINGS` starts the server, counts the sockets that
// clients keep open, and stops it when there is none any more.
import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ServiceSettings } from '../../service.ts'
import { writeServerFile } from '../server-file.ts'
import { noteStop } from '../stop-note.ts'
import { startSurreal } from '../surreal-process.ts'

/** Whoever started it may have died before it could connect. */
const FIRST_CLIENT_MS = 10_000
/** More than any herd. */
const BACKLOG = 1_024

const [, , dir = '', json = ''] = process.argv
const { storage, lingerMs } = JSON.parse(json) as ServiceSettings
const clients = new Set<Socket>()
let timer: NodeJS.Timeout | undefined
let isUp = false

const listener = createServer((socket) => {
  clients.add(socket)
  clearTimeout(timer)
  // A client that was killed is one that has left.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clients.delete(socket)
    if (isUp && clients.size === 0) stopIn(lingerMs)
  })
  socket.resume()
  if (isUp) socket.write('\n')
})
listener.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG })
await once(listener, 'listening')
const { port } = listener.address() as AddressInfo
await writeFile(join(dir, 'supervisor.json.new'), JSON.stringify({ port, pid: process.pid }), { mode: 0o600 })
await rename(join(dir, 'supervisor.json.new'), join(dir, 'supervisor.json'))

const server = await startSurreal(dir, storage)
await writeServerFile(dir, { pid: server.pid, login: server.login })
isUp = true
for (const socket of clients) socket.write('\n')
if (clients.size === 0) stopIn(FIRST_CLIENT_MS)

function stopIn(ms: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => {
    noteStop(dir)
    listener.close()
    server.stop().then(() => process.exit(0))
  }, ms)
}
