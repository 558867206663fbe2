import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asRoot, httpCall } from './http-request.ts'
import { RawClient } from './raw-client.ts'
import { startEmbedded, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startEmbedded()
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const FOREIGN: readonly (readonly [string, Record<string, string>])[] = [
  ['a name that was rebound to this machine', { host: 'evil.example' }],
  ['such a name with our port', { host: 'evil.example:8000' }],
  ['a name that only begins like ours', { host: 'localhost.evil.example' }],
  ['a page of another site', { origin: 'https://evil.example' }],
  ['a page of another site that begins like ours', { origin: 'http://localhost.evil.example' }],
  ['a page with user info', { origin: 'http://localhost@evil.example' }],
  ['a page of nowhere', { origin: 'null' }],
]

const LOCAL: readonly (readonly [string, Record<string, string>])[] = [
  ['127.0.0.1', { host: '127.0.0.1' }],
  ['localhost with a port', { host: 'localhost:1234' }],
  ['a page of this machine', { origin: 'http://localhost:5173' }],
  ['a desktop program with a page', { origin: 'tauri://localhost' }],
]

describe.each(FOREIGN)('%s', (_name, headers) => {
  test('is refused over HTTP, with the right password too', async () => {
    for (const call of [{ path: '/health' }, { path: '/sql', body: 'RETURN 1' }]) {
      const { status, body } = await httpCall(server.port, { ...call, headers: { ...asRoot, ...headers } })
      expect([status, `${body}`]).toEqual([403, expect.stringContaining('programs of this machine')])
    }
  })

  test('gets no WebSocket', async () => {
    await expect(RawClient.connect(server.port, headers)).rejects.toThrow(/403/)
  })
})

describe.each(LOCAL)('%s', (_name, headers) => {
  test('is served', async () => {
    expect(
      (await httpCall(server.port, { path: '/sql', body: 'RETURN 1', headers: { ...asRoot, ...headers } })).status,
    ).toBe(200)
    await using client = await RawClient.connect(server.port, headers)
    expect(await client.result('ping')).toBeUndefined()
  })
})

test('a page of this machine may read the answers, and no other', async () => {
  const asked = async (origin: string, method = 'GET') =>
    (await httpCall(server.port, { path: '/sql', method, headers: { origin } })).headers
  expect(await asked('http://localhost:5173')).toMatchObject({ 'access-control-allow-origin': '*' })
  expect((await asked('http://localhost:5173', 'OPTIONS'))['access-control-allow-headers']).toContain('authorization')
  for (const method of ['GET', 'OPTIONS']) {
    expect(await asked('https://evil.example', method)).not.toHaveProperty('access-control-allow-origin')
  }
})
