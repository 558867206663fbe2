import { CborCodec } from 'surrealdb'
import { WebSocket } from 'ws'

const codec = new CborCodec({})

/** A client in the subprotocol `cbor`, signed in as root. */
export async function connectRaw(port) {
  const client = await connectAnonymous(port)
  await client.call('signin', [{ user: 'root', pass: 'secret' }])
  await client.call('use', ['main', 'main'])
  return client
}

/** The same, but nobody. Signing in takes the server tens of milliseconds of work. */
export async function connectAnonymous(port) {
  const socket = await openSocket(port, 'cbor')
  const waiting = new Map()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('message', (bytes) => {
    const message = codec.decode(bytes)
    waiting.get(message.id)?.(message)
    waiting.delete(message.id)
  })
  let lastId = 0
  const call = (method, params) => {
    const id = `${++lastId}`
    return new Promise((resolve, reject) => {
      waiting.set(id, resolve)
      void closed.then((code) => reject(new Error(`disconnected with ${code}`)))
      socket.send(codec.encode({ id, method, params }))
    })
  }
  const query = async (text, variables = {}) => {
    const { result, error } = await call('query', [text, variables])
    if (error !== undefined) throw new Error(error.message)
    const failed = result.find(({ status }) => status !== 'OK')
    if (failed !== undefined) throw new Error(failed.result)
    return result.map((statement) => statement.result)
  }
  return { socket, closed, call, query }
}

export async function openSocket(port, protocol) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, protocol, { perMessageDeflate: false, maxPayload: 0 })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return socket
}
