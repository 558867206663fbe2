import { surrealBinary } from '@procref/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { AUTH_CASES, AUTH_DIFFERENCES, Doorway } from './auth-cases.ts'
import { Referee } from './referee.ts'
import { startEmbedded, startReal, type TestServer } from './server.ts'

describe.runIf(surrealBinary() !== undefined)('who may enter, and what they may do there', () => {
  const ends: AsyncDisposable[] = []
  let embedded: Doorway
  let real: Doorway

  async function doorway(start: () => Promise<TestServer | undefined>): Promise<Doorway> {
    const server = await start()
    if (server === undefined) throw new Error('there is no real server')
    const opened = await Doorway.open(server)
    ends.unshift(opened, server)
    return opened
  }

  beforeAll(async () => {
    embedded = await doorway(startEmbedded)
    real = await doorway(startReal)
  })

  afterAll(async () => {
    for (const end of ends) await end[Symbol.asyncDispose]()
  })

  const cases = Object.entries(AUTH_CASES)
  const referee = new Referee('auth', 'Sign-ins, tokens and rights', AUTH_DIFFERENCES)

  test.each(cases)('%s', async (name, run) => {
    referee.judge(name, await run(embedded), await run(real))
  })

  test('and what differs is known', () => referee.settle(cases.length))
})
