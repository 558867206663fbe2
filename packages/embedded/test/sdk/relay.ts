import { connect, createServer, type Socket } from 'node:net'

/** A port on loopback that leads to the server's. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  /** Resets every connection that goes through it; new ones are let through. */
  cut(): void
  /** Resets every connection, and every new one, until `open()`. */
  block(): void
  open(): void
}

export async function startRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  let blocked = false
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A reset is what it is for.
    socket.on('error', () => {})
  }
  const server = createServer((client) => {
    keep(client)
    if (blocked) return void client.resetAndDestroy()
    const upstream = connect(to, '127.0.0.1')
    keep(upstream)
    client.pipe(upstream).pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, resolve)
  })
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    cut,
    block: () => {
      blocked = true
      cut()
    },
    open: () => {
      blocked = false
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
