import { surrealBinary } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { bothServers } from './both-servers.ts'
import { httpCall } from './http-request.ts'
import { POST_CASES, POST_DIFFERENCES, type PostCase } from './http-rpc-cases.ts'
import {
  type FrameCase,
  JSON_CASES,
  JSON_DIFFERENCES,
  NEGOTIATIONS,
  REFUSED_BY_CLIENT,
  SQL_SOCKET_CASES,
} from './json-cases.ts'
import { Referee } from './referee.ts'
import type { TestServer } from './server.ts'
import { jsonValue, TextClient, type TextClientOptions } from './text-client.ts'

const serverOf = bothServers()

async function answers({ port }: TestServer, { connection, frames, times = 1 }: FrameCase): Promise<unknown> {
  await using client = await TextClient.open(port, connection)
  const given: Record<string, unknown> = {}
  for (const [i, frame] of frames.entries()) {
    const said = [jsonValue(await client.ask(frame))]
    while (said.length < times) said.push(jsonValue(await client.next(`another answer to ${frame}`.slice(0, 100))))
    given[`${i} ${frame}`.slice(0, 100)] = times === 1 ? said[0] : said
  }
  return given
}

async function negotiated({ port }: TestServer, options: TextClientOptions): Promise<unknown> {
  const client = await TextClient.connect(port, options)
  if (typeof client === 'number') return client
  await using open = client
  return [open.socket.protocol, jsonValue(await open.ask('{"id":1,"method":"ping"}'))]
}

async function posted({ port }: TestServer, { posts }: PostCase): Promise<unknown> {
  const answers: unknown[] = []
  for (const { body, headers } of posts) {
    const answer = await httpCall(port, { path: '/rpc', body, headers })
    answers.push([answer.status, answer.headers['content-type'] ?? 'none', jsonValue(`${answer.body}`)])
  }
  return answers
}

describe.runIf(surrealBinary() !== undefined)('in JSON over HTTP it answers as the real server does', () => {
  const referee = new Referee('http-rpc', 'Calls and sessions over HTTP, in JSON', POST_DIFFERENCES)

  test.each(POST_CASES)('$name', async (postCase) => {
    referee.judge(postCase.name, await posted(serverOf('embedded'), postCase), await posted(serverOf('real'), postCase))
  })

  test('and what differs is known', () => referee.settle(POST_CASES.length))
})

describe.runIf(surrealBinary() !== undefined)('in JSON it answers as the real server does', () => {
  const cases = [...JSON_CASES, ...SQL_SOCKET_CASES]
  const negotiations = Object.entries(NEGOTIATIONS)
  const referee = new Referee('json', 'Frames of text over a WebSocket', JSON_DIFFERENCES)

  test.each(cases)('$name', async (frameCase) => {
    referee.judge(
      frameCase.name,
      await answers(serverOf('embedded'), frameCase),
      await answers(serverOf('real'), frameCase),
    )
  })

  test.each(negotiations)('a connection with: %s', async (name, options) => {
    referee.judge(
      `a connection with: ${name}`,
      await negotiated(serverOf('embedded'), options),
      await negotiated(serverOf('real'), options),
    )
  })

  test('and what differs is known', () => referee.settle(cases.length + negotiations.length))
})

test.each(REFUSED_BY_CLIENT)(
  'a subprotocol that is not spoken (%s) is not named in the answer',
  async (...protocols) => {
    for (const kind of surrealBinary() === undefined ? (['embedded'] as const) : (['embedded', 'real'] as const)) {
      await expect(TextClient.open(serverOf(kind).port, { protocols })).rejects.toThrow('Server sent no subprotocol')
    }
  },
)
