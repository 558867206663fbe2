import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
// Not part of the public interface.
import { NotProvenError } from '../../dist/identity/proven-dial.js'
import { ask } from '../../dist/wait/http.js'

test('a stranger that takes the port between the proof and the connection is sent nothing', async () => {
  let heard = ''
  const stranger = createServer((socket) => socket.on('data', (data) => (heard += data)).on('error', () => {}))
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  const accepted = once(stranger, 'connection')
  let proofs = 0
  const prove = (): void => {
    if (++proofs === 2) throw new NotProvenError('it is not ours')
  }
  const server = { host: '127.0.0.1', port, signal: AbortSignal.timeout(30_000), prove }
  expect(
    await ask(server, { path: '/sql', method: 'POST', auth: 'root:the password', timeout: 30_000 }, 'RETURN 1'),
  ).toBe('it is not ours')
  const [socket] = await accepted
  if (!socket.closed) await once(socket, 'close')
  expect(heard).toBe('')
})
