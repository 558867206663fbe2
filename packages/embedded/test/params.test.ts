import { surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { bothServers } from './both-servers.ts'
import type { ProtocolCase } from './call-lists.ts'
import { PARAMS_CASES, PARAMS_DIFFERENCES } from './params-cases.ts'
import { RawClient } from './raw-client.ts'
import { Referee } from './referee.ts'
import type { TestServer } from './server.ts'
import { STREAM_CASES, STREAM_DIFFERENCES } from './stream-cases.ts'

const serverOf = bothServers()

async function answers({ port }: TestServer, { run }: ProtocolCase): Promise<unknown> {
  await using client = await RawClient.connect(port)
  return await run(client)
}

const LISTS = [
  ['params', 'Params of every method, and fields of requests', PARAMS_CASES, PARAMS_DIFFERENCES],
  ['streams', 'Queries answered in a stream of frames', STREAM_CASES, STREAM_DIFFERENCES],
] as const

describe.runIf(surrealBinary() !== undefined).each(LISTS)(
  '%s are answered as by the real server',
  (list, about, cases, stay) => {
    const referee = new Referee(list, about, stay)

    test.each(cases)('$name', async (protocolCase) => {
      referee.judge(
        protocolCase.name,
        await answers(serverOf('embedded'), protocolCase),
        await answers(serverOf('real'), protocolCase),
      )
    })

    test('and what differs is known', () => referee.settle(cases.length))
  },
)
