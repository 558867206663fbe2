import { connect } from 'node:net'
import { within } from '@procref/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawClient } from './raw-client.ts'
import { startEmbedded, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startEmbedded()
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

test('a message that is too long ends its connection with 1009, and no other', async () => {
  await using witness = await RawClient.root(server.port)
  await using client = await RawClient.connect(server.port)
  client.send(Buffer.alloc(128 * 1024 * 1024 + 1))
  expect(await within('the end', client.closed)).toMatchObject({ code: 1009 })
  expect(await witness.query('RETURN 1')).toEqual([1])
})

test('a frame that breaks the WebSocket protocol ends its connection, and no other', async () => {
  await using witness = await RawClient.root(server.port)
  await using client = await RawClient.connect(server.port)
  // An opcode that is reserved.
  const socket = (client.socket as unknown as { _socket: NodeJS.WritableStream })._socket
  socket.write(Buffer.from('8380000000000000', 'hex'))
  expect(await within('the end', client.closed)).toMatchObject({ code: 1002 })
  expect(await witness.query('RETURN 1')).toEqual([1])
})

test('a request that never ends disturbs nobody', async () => {
  const half = [
    'GET /health HTTP/1.1\r\nHost: 127',
    'POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nRET',
    'x',
    '',
  ]
  const sockets = half.map((bytes) => {
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(bytes)
    return socket
  })
  try {
    for (const socket of sockets) socket.on('error', () => {})
    await using client = await RawClient.root(server.port)
    expect(await client.query('RETURN 1')).toEqual([1])
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  await using later = await RawClient.root(server.port)
  expect(await later.query('RETURN 2')).toEqual([2])
})

test('a client that does not read its live queries is disconnected with 1013 instead of filling our memory', async () => {
  await using writer = await RawClient.root(server.port)
  await using reader = await RawClient.root(server.port)
  await reader.query('DEFINE TABLE flood; LIVE SELECT * FROM flood')
  await using other = await RawClient.root(server.port)
  await other.query('LIVE SELECT id FROM flood')
  reader.socket.pause()
  const text = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 40; i++) await writer.query('CREATE flood SET text = $text RETURN NONE', { text })
  reader.socket.resume()
  expect(await within('the end', reader.closed)).toEqual({ code: 1013, reason: expect.stringMatching(/live queries/) })
  // Who reads has them all.
  for (let i = 0; i < 40; i++) await other.next('a change')
})

test('a client that sends without reading is held back, and then answered in full', async () => {
  await using client = await RawClient.root(server.port)
  client.socket.pause()
  const calls = Array.from({ length: 60 }, () => client.query("RETURN string::repeat('x', 1_000_000)"))
  await using witness = await RawClient.root(server.port)
  expect(await witness.query('RETURN 1')).toEqual([1])
  client.socket.resume()
  for (const [text] of (await Promise.all(calls)) as [string][]) expect(text).toHaveLength(1_000_000)
})

test('thousands of calls at once are all answered', async () => {
  await using client = await RawClient.root(server.port)
  const answers = await Promise.all(Array.from({ length: 3_000 }, (_, i) => client.query(`RETURN ${i}`)))
  expect(answers.map(([i]) => i)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
})

test('sessions of a connection and transactions of a session are counted', async () => {
  await using client = await RawClient.root(server.port)
  for (let i = 0; i < 64; i++) await client.result('begin')
  expect(await client.call('begin')).toMatchObject({ error: { message: 'Too many open transactions' } })
  const session = (i: number): object => ({ session: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}` })
  for (let i = 1; i < 256; i++) await client.result('attach', [], session(i))
  expect(await client.call('attach', [], session(256))).toMatchObject({ error: { message: 'Method not allowed' } })
  // What has ended does not count.
  await client.result('detach', [], session(1))
  await client.result('attach', [], session(256))
  await client.result('begin', [], session(256))
})
