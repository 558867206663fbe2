import { surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { bothServers } from './both-servers.ts'
import type { ProtocolCase } from './call-lists.ts'
import { HTTP_CASES, HTTP_DIFFERENCES } from './http-cases.ts'
import { type HttpCall, type HttpResponse, httpCall } from './http-request.ts'
import { PROTOCOL_CASES, PROTOCOL_DIFFERENCES } from './protocol-cases.ts'
import { codec, RawClient } from './raw-client.ts'
import { Referee } from './referee.ts'
import type { TestServer } from './server.ts'

const serverOf = bothServers()

/** Over WebSocket. */
async function answers({ port }: TestServer, { run }: ProtocolCase): Promise<unknown> {
  await using client = await RawClient.connect(port)
  return await run(client)
}

async function httpAnswer({ port }: TestServer, call: HttpCall): Promise<unknown> {
  const { status, headers, body } = await httpCall(port, call)
  const type = headers['content-type']
  const isJson = type === 'application/json' && body.length > 0
  const value = type === 'application/cbor' ? codec.decode(body) : isJson ? JSON.parse(`${body}`) : `${body}`
  return { status, headers: comparableHeaders(headers), value }
}

/** Without what belongs to the connection, and what each request has anew. */
function comparableHeaders(headers: HttpResponse['headers']): object {
  const { date: _, connection: _c, 'keep-alive': _k, 'content-length': _l, 'x-request-id': id, ...rest } = headers
  const own = ['surreal-version', 'x-surreal-request-id'].filter((name) => Object.hasOwn(rest, name))
  // Only the real server compresses.
  const vary = String(rest.vary).replace(', accept-encoding', '')
  return { ...rest, vary, ...Object.fromEntries(own.map((name) => [name, 'its own'])), 'x-request-id': typeof id }
}

describe.runIf(surrealBinary() !== undefined)('over WebSocket it answers as the real server does', () => {
  const referee = new Referee('rpc', 'Calls over a WebSocket', PROTOCOL_DIFFERENCES)

  test.each(PROTOCOL_CASES)('$name', async (protocolCase) => {
    referee.judge(
      protocolCase.name,
      await answers(serverOf('embedded'), protocolCase),
      await answers(serverOf('real'), protocolCase),
    )
  })

  test('and what differs is known', () => referee.settle(PROTOCOL_CASES.length))
})

describe.runIf(surrealBinary() !== undefined)('over HTTP it answers as the real server does', () => {
  const cases = Object.entries(HTTP_CASES)
  const referee = new Referee('http', 'Requests over HTTP', HTTP_DIFFERENCES)

  test.each(cases)('%s', async (name, call) => {
    referee.judge(name, await httpAnswer(serverOf('embedded'), call), await httpAnswer(serverOf('real'), call))
  })

  test('and what differs is known', () => referee.settle(cases.length))
})
