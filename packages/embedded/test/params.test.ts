import { surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { bothServers } from './both-servers.ts'
import type { ProtocolCase } from './call-lists.ts'
import { PARAMS_CASES, PARAMS_DIFFERENCES } from './params-cases.ts'
import { RawClient } from './raw-client.ts'
import { Referee } from './referee.ts'
import type { TestServer } from './server.ts'

const serverOf = bothServers()

async function answers({ port }: TestServer, { run }: ProtocolCase): Promise<unknown> {
  await using client = await RawClient.connect(port)
  return await run(client)
}

describe.runIf(surrealBinary() !== undefined)(
  'params and fields of every kind are answered as by the real server',
  () => {
    const referee = new Referee('params', 'Params of every method, and fields of requests', PARAMS_DIFFERENCES)

    test.each(PARAMS_CASES)('$name', async (protocolCase) => {
      referee.judge(
        protocolCase.name,
        await answers(serverOf('embedded'), protocolCase),
        await answers(serverOf('real'), protocolCase),
      )
    })

    test('and what differs is known', () => referee.settle(PARAMS_CASES.length))
  },
)
