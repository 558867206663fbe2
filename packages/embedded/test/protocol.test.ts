import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { comparable } from './comparable.ts'
import { HTTP_CASES, REFUSED } from './http-cases.ts'
import { type HttpCall, httpCall } from './http-request.ts'
import { PROTOCOL_CASES, type ProtocolCase } from './protocol-cases.ts'
import { codec, RawClient } from './raw-client.ts'
import { startEmbedded, startReal, type TestServer } from './server.ts'

let embedded: TestServer
let real: TestServer | undefined

beforeAll(async () => {
  embedded = await startEmbedded()
  real = await startReal()
})

afterAll(async () => {
  await embedded?.[Symbol.asyncDispose]()
  await real?.[Symbol.asyncDispose]()
})

/** Over WebSocket. */
async function answers({ port }: TestServer, { run }: ProtocolCase): Promise<string> {
  await using client = await RawClient.connect(port)
  return comparable(await run(client))
}

async function httpAnswer({ port }: TestServer, call: HttpCall): Promise<string> {
  const { status, headers, body } = await httpCall(port, call)
  const type = headers['content-type']
  const value =
    type === 'application/cbor' ? codec.decode(body) : type === 'application/json' ? JSON.parse(`${body}`) : `${body}`
  return comparable({ status, type: type ?? 'none', value })
}

describe('over WebSocket it answers as the real server does', () => {
  test.each(PROTOCOL_CASES)('$name', async (protocolCase) => {
    const ours = await answers(embedded, protocolCase)
    if (real === undefined) return expect(ours).not.toBe('')
    expect(ours).toBe(await answers(real, protocolCase))
  })
})

describe('over HTTP it answers as the real server does', () => {
  test.each(Object.entries(HTTP_CASES))('%s', async (_name, call) => {
    const ours = await httpAnswer(embedded, call)
    if (real === undefined) return expect(ours).not.toBe('')
    expect(ours).toBe(await httpAnswer(real, call))
  })

  test.each(Object.entries(REFUSED))('%s is refused', async (_name, call) => {
    for (const server of real === undefined ? [embedded] : [embedded, real]) {
      expect(await httpCall(server.port, call)).toMatchObject({ status: 401 })
    }
  })
})
