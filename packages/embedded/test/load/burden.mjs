// A client that is a burden: `node burden.mjs PORT KIND`. Does what KIND says on `go`, says how it went, and ends on `end`.
import { obey, say } from '@procref/testing/child'
import { connectAnonymous, connectRaw, openSocket } from './connect.mjs'

const [port, kind] = [Number(process.argv[2]), process.argv[3]]
const MIB = 1024 * 1024

/** By work, not by waiting. */
const LONG = 'FOR $i IN 0..2000000 { LET $x = $i * 2 }'

const burdens = {
  /** Does nothing, for comparison. */
  nothing: async () => ({}),
  'idle connections': async () => {
    const clients = []
    for (let i = 0; i < 1_000; i += 20) {
      clients.push(...(await Promise.all(Array.from({ length: 20 }, () => connectAnonymous(port)))))
    }
    return { connections: clients.length }
  },
  'queries in flight': async () => {
    const client = await connectRaw(port)
    const answers = []
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 10_000 }, (_, i) => client.query('RETURN $i', { i }))
      answers.push(...(await Promise.all(asked)).map(([value], i) => value === i))
    }
    return { answers: answers.filter(Boolean).length }
  },
  'long query': async () => {
    const client = await connectRaw(port)
    return { answers: (await client.query(LONG)).length }
  },
  'four long queries': async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectRaw(port)))
    return { answers: (await Promise.all(clients.map((client) => client.query(LONG)))).length }
  },
  'frame of 100 MB': async () => {
    const client = await connectRaw(port)
    // 1.4 million values, and a text.
    const rows = Array.from({ length: 200_000 }, (_, i) => ({ id: i, name: `row ${i}`, list: [i, -i, i * 1.5] }))
    const [lengths] = await client.query('RETURN [array::len($rows), string::len($text)]', {
      rows,
      text: 'x'.repeat(90 * MIB),
    })
    return { lengths }
  },
  'frame of 100 MB, all numbers': async () => {
    const client = await connectRaw(port)
    // Nobody has to be signed in to send it, and the engine gets nothing of it.
    const head = Buffer.from('a36269646164666d6574686f646378787866706172616d739a', 'hex')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(100 * MIB)
    const answered = new Promise((resolve) => client.socket.once('message', resolve))
    client.socket.send(Buffer.concat([head, length, Buffer.alloc(100 * MIB, 1)]))
    return { answer: (await answered).length > 0 }
  },
  'frame of 20 MB in JSON': async () => {
    const socket = await openSocket(port, 'json')
    const answered = new Promise((resolve) => socket.once('message', resolve))
    // 10 million numbers; nobody has to be signed in to send them.
    socket.send(`{"id":1,"method":"ping","params":[${'1,'.repeat(10 * MIB)}1]}`)
    return { answer: `${await answered}`.slice(0, 20) }
  },
  'query of 100 MB': async () => {
    const client = await connectRaw(port)
    const [length] = await client.query(`RETURN string::len('${'x'.repeat(100 * MIB)}')`)
    return { length }
  },
  'half a frame': async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectRaw(port)))
    for (const { socket } of clients) {
      const head = Buffer.from('82ff000000000640000000000000', 'hex')
      socket._socket.write(head)
      await new Promise((resolve) => socket._socket.write(Buffer.alloc(50 * MIB), resolve))
    }
    return { clients: clients.length }
  },
  'slow reader': async () => {
    const client = await connectRaw(port)
    client.socket.pause()
    const asked = Array.from({ length: 500 }, () => client.query("RETURN string::repeat('x', 1000000)"))
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    client.socket.resume()
    return { answers: (await Promise.all(asked)).length }
  },
}
/** Whoever waits for an event gives up sooner than the longest burden takes. */
const HEARTBEAT_MS = 5_000

obey({
  go: async () => {
    const heart = setInterval(() => say('beat', {}), HEARTBEAT_MS)
    try {
      say('beat', { outcome: await burdens[kind]() })
    } catch (error) {
      say('beat', { outcome: { refused: error.message } })
    } finally {
      clearInterval(heart)
    }
  },
})
say('ready')
