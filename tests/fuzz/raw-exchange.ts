import { connect, type Socket } from 'node:net'
import { within } from '@procref/testing'

/** Sends bytes, then the end, and gives all that comes back until the other side has closed too. Rejects when it does not within 30 s. */
export async function exchange(port: number, bytes: Uint8Array): Promise<Buffer> {
  return await untilClosed(await open(port), bytes)
}

/** A connection on which `first` was sent, once the answer to it is there in full: up to an empty line. And what came after that. */
export async function exchangeAfter(
  port: number,
  first: string,
  bytes: Uint8Array,
): Promise<{ head: string; rest: Buffer }> {
  const socket = await open(port)
  const before: Buffer[] = []
  const whole = new Promise<void>((resolve, reject) => {
    socket.on('data', function read(chunk: Buffer) {
      before.push(chunk)
      if (!Buffer.concat(before).includes('\r\n\r\n')) return
      socket.off('data', read)
      resolve()
    })
    socket.once('close', () => reject(new Error('closed before the first request was answered')))
  })
  socket.write(first)
  await within('the answer to the first request', whole)
  const all = Buffer.concat(before)
  const end = all.indexOf('\r\n\r\n') + 4
  const rest = await untilClosed(socket, bytes)
  return { head: all.toString('latin1', 0, end), rest: Buffer.concat([all.subarray(end), rest]) }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.on('error', () => {})
  await within(
    'the connection',
    new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    }),
  )
  return socket
}

async function untilClosed(socket: Socket, bytes: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = []
  // Reset: it had enough, which is an answer.
  const closed = new Promise<void>((resolve) => {
    socket.once('end', resolve)
    socket.once('close', () => resolve())
  })
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  try {
    socket.end(bytes)
    await within('the end of the connection', closed)
    return Buffer.concat(chunks)
  } finally {
    socket.destroy()
  }
}
