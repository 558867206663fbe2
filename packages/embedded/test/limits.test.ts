import { connect, type Socket } from 'node:net'
import { eventually, freeze, within } from '@procref/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawClient } from './raw-client.ts'
import { PASSWORD, startEmbedded, type TestServer, USER } from './server.ts'
import { TextClient } from './text-client.ts'

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

test('whoever asks one thing is not behind thousands of queries of another client', async () => {
  await using busy = await RawClient.root(server.port)
  await using other = await RawClient.root(server.port)
  const asked = async (client: RawClient): Promise<number> => {
    const [at] = (await client.query('RETURN time::nano()')) as [number | bigint]
    return Number(at)
  }
  // When each was carried out is told by the engine: how late this process hears of it says nothing.
  // The server finds both: the flood, and the questions of the other one. While it runs it could work off the flood before this process, which
  // may lose the processor between the two, has sent the questions.
  await freeze(server.child.pid)
  const sockets = [busy, other].map(({ socket }) => (socket as unknown as { _socket: Socket })._socket)
  for (const socket of sockets) socket.cork()
  const flood = Array.from({ length: 5_000 }, () => asked(busy))
  const questions = Array.from({ length: 5 }, () => asked(other))
  for (const socket of sockets) socket.uncork()
  await eventually('the questions are on their way', () => sockets[1]?.writableLength === 0)
  server.child.kill('SIGCONT')
  const last = Math.max(...(await Promise.all(questions)))
  const before = (await Promise.all(flood)).filter((at) => at < last).length
  expect(before).toBeLessThan(1_000)
})

test('whoever asks one thing is not behind queries that take long, however many there are', async () => {
  await using own = await startEmbedded()
  await using busy = await RawClient.root(own.port)
  await using other = await RawClient.root(own.port)
  let ended = 0
  const long = [
    ...Array.from({ length: 600 }, () => busy.call('query', ['RETURN sleep(1h)'])),
    ...Array.from({ length: 8 }, () => other.call('query', ['FOR $i IN 0..1000000000 { LET $x = $i * 2 }'])),
  ]
  // Given up by its client, after 30 s, a call has not ended.
  for (const call of long)
    call.then(
      () => void ended++,
      () => {},
    )
  await using third = await RawClient.root(own.port)
  for (let i = 0; i < 20; i++) expect(await third.query('RETURN $i', { i })).toEqual([i])
  expect(ended).toBe(0)
})

test('requests are carried out in their order, although a long one takes a while to be read', async () => {
  await using client = await RawClient.root(server.port)
  const rows = Array.from({ length: 200_000 }, (_, i) => [i])
  const [long, , after] = await Promise.all([
    client.query('RETURN [$a, array::len($rows)]', { rows }),
    client.result('set', ['a', 'set later']),
    client.query('RETURN $a'),
  ])
  expect([long, after]).toEqual([[[undefined, 200_000]], ['set later']])
})

test('a query of many megabytes is answered, and so is everybody else meanwhile', async () => {
  await using busy = await RawClient.root(server.port)
  await using other = await RawClient.root(server.port)
  const text = 'x'.repeat(20 * 1024 * 1024)
  const long = busy.query(`RETURN string::len('${text}')`)
  const also = busy.query('RETURN string::len($text)', { text })
  for (let i = 0; i < 20; i++) expect(await other.query('RETURN $i', { i })).toEqual([i])
  expect(await Promise.all([long, also])).toEqual([[text.length], [text.length]])
})

test('a client that sends half a frame and stops disturbs nobody, and its memory is free when it has gone', async () => {
  await using witness = await RawClient.root(server.port)
  await using client = await RawClient.connect(server.port)
  const socket = (client.socket as unknown as { _socket: NodeJS.WritableStream })._socket
  // A message of 100 MiB, of which half arrives.
  socket.write(Buffer.from('82ff000000000640000000000000', 'hex'))
  await new Promise<void>((resolve) => socket.write(Buffer.alloc(50 * 1024 * 1024), () => resolve()))
  for (let i = 0; i < 5; i++) expect(await witness.query('RETURN $i', { i })).toEqual([i])
  await client[Symbol.asyncDispose]()
  expect(await witness.query('RETURN 1')).toEqual([1])
})

test('clients that all send half a message cannot fill the memory: the one without news is closed with 1013', async () => {
  await using witness = await RawClient.root(server.port)
  const halves: RawClient[] = []
  try {
    // Of 128 MiB each, of which all but a little arrives: five are too much.
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect(server.port)
      halves.push(client)
      const socket = (client.socket as unknown as { _socket: NodeJS.WritableStream })._socket
      socket.write(Buffer.from('82ff000000000800000000000000', 'hex'))
      await new Promise<void>((resolve) => socket.write(Buffer.alloc(110 * 1024 * 1024), () => resolve()))
    }
    const { code, reason } = await within('the end of the first', Promise.race(halves.map(({ closed }) => closed)))
    expect({ code, reason }).toEqual({ code: 1013, reason: expect.stringMatching(/not arrived in full/) })
    expect(halves.map(({ socket }) => socket.readyState === socket.OPEN)).toEqual([false, true, true, true, true])
    for (let i = 0; i < 5; i++) expect(await witness.query('RETURN $i', { i })).toEqual([i])
  } finally {
    for (const client of halves) client.socket.terminate()
  }
})

test('a long message in JSON is read a little at a time, in its order, whatever it is made of', async () => {
  await using other = await RawClient.root(server.port)
  await using client = await TextClient.open(server.port)
  await client.ask(JSON.stringify({ id: 1, method: 'signin', params: [{ user: USER, pass: PASSWORD }] }))
  await client.ask('{"id":2,"method":"use","params":["main","main"]}')
  const texts = {
    plain: 'x'.repeat(3_000_000),
    escaped: 'x\n"'.repeat(300_000),
    wide: 'é😀'.repeat(300_000),
  }
  const list = Array.from({ length: 100_000 }, (_, i) => ({ i, list: [i, -i, i + 0.5] }))
  const text =
    'RETURN [string::len($plain), string::len($escaped), string::len($wide), array::len($list), $list[99_999]]'
  client.socket.send(JSON.stringify({ id: 3, method: 'query', params: [text, { ...texts, list }] }))
  client.socket.send('{"id":4,"method":"set","params":["later",true]}')
  client.socket.send('{"id":5,"method":"query","params":["RETURN $later"]}')
  for (let i = 0; i < 20; i++) expect(await other.query('RETURN $i', { i })).toEqual([i])
  const answers = []
  for (let i = 0; i < 3; i++) answers.push(JSON.parse(await client.next('an answer')))
  expect(answers.map(({ id }) => id)).toEqual([3, 4, 5])
  expect(answers[0].result[0].result).toEqual([
    3_000_000,
    900_000,
    600_000,
    100_000,
    { i: 99_999, list: [99_999, -99_999, 99_999.5] },
  ])
  expect(answers[2].result[0].result).toBe(true)
})

test('connections that do nothing cost little memory', async () => {
  await using own = await startEmbedded()
  const rss = async (): Promise<number> => {
    own.child.send('rss')
    return (await own.child.event<{ mib: number }>('rss')).mib
  }
  await using witness = await RawClient.root(own.port)
  const before = await rss()
  const idle = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(own.port)))
  try {
    expect(await witness.query('RETURN 1')).toEqual([1])
    // A thousand have been seen to take 23 MB.
    expect((await rss()) - before).toBeLessThan(100)
  } finally {
    await Promise.all(idle.map((client) => client[Symbol.asyncDispose]()))
  }
  expect(await witness.query('RETURN 2')).toEqual([2])
})

test.runIf(process.platform === 'linux')('the memory of large messages is given back', async () => {
  await using own = await startEmbedded()
  const rss = async (): Promise<number> => {
    own.child.send('rss')
    return (await own.child.event<{ mib: number }>('rss')).mib
  }
  await using client = await RawClient.root(own.port)
  const before = await rss()
  const rows = Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `row ${i}` }))
  const textMib = 60
  const messages = 10
  for (let i = 0; i < messages; i++) {
    const text = 'x'.repeat(textMib * 1024 * 1024)
    expect(await client.query('RETURN [array::len($rows), string::len($text)]', { rows, text })).toEqual([
      [rows.length, text.length],
    ])
  }
  // Were it only the text of each that is kept, it would be 600. What the rows took is used again, by the next message of that size: one
  // piece that lives on at its end keeps it (up to 320 of 100,000 rows have been seen).
  await eventually('it is free', async () => (await rss()) - before < (textMib * messages) / 2)
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
