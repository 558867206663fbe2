import { surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { bothServers } from './both-servers.ts'
import { DEPTH_CASES, DEPTH_DIFFERENCES } from './depth-cases.ts'
import { Referee } from './referee.ts'

const serverOf = bothServers()

describe.runIf(surrealBinary() !== undefined)(
  'values and queries of many levels are answered as by the real server',
  () => {
    const referee = new Referee('depth', 'Values and queries of many levels', DEPTH_DIFFERENCES)

    test.each(DEPTH_CASES)('$name', async ({ name, run }) => {
      referee.judge(name, await run(serverOf('embedded')), await run(serverOf('real')))
    })

    test('and what differs is known', () => referee.settle(DEPTH_CASES.length))
  },
)
