import { atEnd, type Child, HANGS_MS, startChild } from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codec, RawClient } from './raw-client.ts'
import { startEmbedded, type TestServer } from './server.ts'

// Each hazard of the engine twice: that it is real, on the engine alone, and that a client of ours cannot bring it about.

let server: TestServer

beforeAll(async () => {
  server = await startEmbedded()
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

async function onTheEngineAlone(hazard: string): Promise<Child> {
  const program = new URL('./children/raw-engine.mjs', import.meta.url)
  // Of one thread, which is what it makes where this process has one processor, two calls cannot meet.
  const child = atEnd(startChild(program, { args: [hazard], env: { TOKIO_WORKER_THREADS: '2' } }))
  await child.event('ready')
  return child
}

/** Another client was connected all the time, and is still served. */
async function withWitness(act: (client: RawClient) => Promise<void>): Promise<void> {
  await using witness = await RawClient.root(server.port)
  await using client = await RawClient.root(server.port)
  await act(client)
  expect(await witness.query('RETURN "still here"')).toEqual(['still here'])
}

describe('the engine alone', () => {
  test('takes who has not signed in for the owner of everything', async () => {
    const child = await onTheEngineAlone('anonymous')
    expect(await child.event('survived')).toMatchObject({ answer: expect.stringContaining('"namespaces"') })
  })

  test.each([
    ['use without a namespace', 'SIGABRT'],
    ['use that leaves the namespace', 'SIGABRT'],
    ['fatal duration', 'SIGABRT'],
    ['deep expression', 'SIGSEGV'],
    ['recursive function', 'SIGSEGV'],
    ['execute after free', 'SIGABRT'],
  ])('is ended by: %s', async (hazard, signal) => {
    const child = await onTheEngineAlone(hazard)
    expect(await child.exited).toEqual({ code: null, signal })
  })

  test('hangs for ever when a query and a change of its session meet', async () => {
    const child = await onTheEngineAlone('two calls at once')
    expect(await child.event('survived', 3 * HANGS_MS)).toMatchObject({ answer: '"some hang"' })
  })
})

test('a database without a namespace is refused, signed in or not', async () => {
  await withWitness(async (client) => {
    const refused = { error: { message: 'Cannot set database without first selecting a namespace' } }
    expect(await client.call('use', [null, 'x'])).toMatchObject(refused)
    expect(await client.call('use', [undefined, 'x'])).toMatchObject(refused)
    await client.result('use', ['main', 'main'])
    await client.result('reset')
    expect(await client.call('use', [undefined, 'x'])).toMatchObject(refused)
    await client.result('signin', [{ user: 'root', pass: 'secret' }])
    expect(await client.call('use', [undefined, 'x'])).toMatchObject(refused)
    await client.result('use', ['main', 'main'])
    await client.result('query', ['USE DB x'])
    expect(await client.query('RETURN $session.ns')).toEqual(['main'])
  })
})

describe('a value at which the engine panics is refused, in every way to write it', () => {
  const SECONDS = '1bffffffffffffffff'
  const NANOS = '1aee6b2800'
  test.each([
    ['plain', `ce82${SECONDS}${NANOS}`],
    ['of indefinite length', `ce9f${SECONDS}${NANOS}ff`],
    ['with a long tag', `d80e82${SECONDS}${NANOS}`],
    ['with a big number', `ce82c248ffffffffffffffff${NANOS}`],
    ['in a list in a map', `a16161 81ce82${SECONDS}${NANOS}`.replace(' ', '')],
  ])('%s', async (_name, hex) => {
    await withWitness(async (client) => {
      // {"id": "d", "method": "ping", "params": [the value]}: nobody has to be signed in for it.
      const head = 'a36269646164666d6574686f646470696e6766706172616d7381'
      client.send(Buffer.from(head + hex, 'hex'))
      expect(await client.next('a refusal')).toMatchObject({ error: { message: 'Parse error' } })
    })
  })

  test('and the largest duration there is, is not', async () => {
    await withWitness(async (client) => {
      const head = 'a36269646164666d6574686f646470696e6766706172616d7381'
      client.send(Buffer.from(`${head}ce82${SECONDS}1a3b9ac9ff`, 'hex'))
      expect(await client.next('an answer')).toMatchObject({ id: 'd', result: undefined })
    })
  })
})

describe('an expression that would overflow the stack is refused', () => {
  test.each([
    ['!!!true', `${'!'.repeat(100_000)}true`],
    ['- - 1', `${'- '.repeat(100_000)}1`],
    ['<int><int>1', `${'<int>'.repeat(100_000)}1`],
    ['1+1+1', `1${'+1'.repeat(100_000)}`],
    ['1**1**1', `1${'**1'.repeat(100_000)}`],
    ['true AND true', `true${' AND true'.repeat(100_000)}`],
    ['true or true', `true${' or true'.repeat(100_000)}`],
    ['null ?? null', `null${' ?? null'.repeat(100_000)}`],
    ['after a comment that a carriage return ends', `1 -- '\r${'+1'.repeat(100_000)}`],
    ['after a comment that a line of Unicode ends', `1 # "\u0085${'+1'.repeat(100_000)}`],
    ['after a comment that has an end at its beginning', `1 /*/ ' */ ${'+1'.repeat(100_000)}`],
    ['after a name in brackets', `[⟨a\u2028'\\⟩⟩, 1${'+1'.repeat(100_000)}]`],
  ])('%s', async (_name, expression) => {
    await withWitness(async (client) => {
      const { error } = await client.call('query', [`RETURN ${expression}`])
      expect(error?.message).toMatch(/Exceeded expression recursion depth limit/)
    })
  })

  test('in a type as well', async () => {
    await withWitness(async (client) => {
      const type = `${'array<'.repeat(20_000)}int${'>'.repeat(20_000)}`
      const { error } = await client.call('query', [`DEFINE FIELD a ON t TYPE ${type}`])
      expect(error?.message).toMatch(/recursion depth/)
    })
  })

  test('what is just allowed is carried out', async () => {
    await withWitness(async (client) => {
      expect(await client.query(`RETURN 1${'+1'.repeat(3_900)}`)).toEqual([3_901])
      expect(await client.query(`RETURN true${' AND true'.repeat(3_900)}`)).toEqual([true])
      const { error } = await client.call('query', [`RETURN ${'!'.repeat(8_000)}true`])
      expect(error).toBeUndefined()
    })
  })

  test('long statements that are not deep are carried out', async () => {
    await withWitness(async (client) => {
      const rows = Array.from({ length: 1_000 }, (_, i) => `{ id: ${i}, text: 'a - b + c -- d', n: -${i} }`)
      await client.query(`INSERT INTO long [${rows.join(', ')}] RETURN NONE`)
      expect(await client.query('RETURN array::len(SELECT id FROM long)')).toEqual([1_000])
      await client.query(Array.from({ length: 5_000 }, (_, i) => `RETURN 1 + ${i} * 2 - 1`).join(';\n'))
    })
  })
})

test('a query and a change of its session, sent at once and many times, are all answered', async () => {
  await withWitness(async (client) => {
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 200; i++) {
      calls.push(client.query('RETURN 1'), client.result('use', ['main', 'main']), client.result('set', ['a', i]))
    }
    await Promise.all(calls)
  })
})

test('calls in flight and calls that come later survive the stop of the engine', async () => {
  await using own = await startEmbedded()
  await using client = await RawClient.root(own.port)
  const late = client.query('RETURN sleep(300ms)')
  // The query goes another way than the word: once this was answered, it is there.
  await client.result('ping')
  own.child.send('terminate')
  for (let i = 0; i < 50; i++) client.send(codec.encode({ id: `late-${i}`, method: 'query', params: ['RETURN 1'] }))
  expect(await late).toEqual([undefined])
  expect(await client.closed).toMatchObject({ code: 1001 })
  expect(await own.child.event('ended')).toMatchObject({ code: 0, signal: null })
})
