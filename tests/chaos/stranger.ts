import { createServer, type Socket } from 'node:net'

export interface Thief {
  /** What those who connected have sent. */
  heard(): string
  /** Idempotent. */
  leave(): Promise<void>
}

const AGAIN_MS = 5

/** Somebody who listens on the port as soon as it is free, and writes down what it is told. */
export function takePort(port: number): Thief {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (bytes) => heard.push(bytes))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  let again: NodeJS.Timeout | undefined
  let left: Promise<void> | undefined
  const listen = (): void => void server.listen(port, '127.0.0.1')
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    if (left === undefined) again = setTimeout(listen, AGAIN_MS)
  })
  listen()
  return {
    heard: () => Buffer.concat(heard).toString('latin1'),
    leave() {
      left ??= new Promise((resolve) => {
        clearTimeout(again)
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
      return left
    },
  }
}
