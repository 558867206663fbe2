import { surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { AUTH_CASES, AUTH_DIFFERENCES } from './auth-cases.ts'
import { bothDoorways } from './doorways.ts'
import { Referee } from './referee.ts'

describe.runIf(surrealBinary() !== undefined)('who may enter, and what they may do there', () => {
  const doorways = bothDoorways()
  const cases = Object.entries(AUTH_CASES)
  const referee = new Referee('auth', 'Sign-ins, tokens and rights', AUTH_DIFFERENCES)

  test.each(cases)('%s', async (name, run) => {
    const { embedded, real } = doorways()
    referee.judge(name, await run(embedded), await run(real))
  })

  test('and what differs is known', () => referee.settle(cases.length))
})
