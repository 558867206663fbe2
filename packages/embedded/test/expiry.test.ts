import { surrealBinary } from '@procref/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { Doorway } from './auth-cases.ts'
import { EXPIRY_CASES, EXPIRY_DIFFERENCES, EXPIRY_PREPARED } from './expiry-cases.ts'
import { Referee } from './referee.ts'
import { startEmbedded, startReal, type TestServer } from './server.ts'

describe.runIf(surrealBinary() !== undefined)('what is over is over as with the real server', () => {
  const ends: AsyncDisposable[] = []
  let embedded: Doorway
  let real: Doorway

  async function doorway(start: () => Promise<TestServer | undefined>): Promise<Doorway> {
    const server = await start()
    if (server === undefined) throw new Error('there is no real server')
    const opened = await Doorway.open(server)
    ends.unshift(opened, server)
    await (await opened.root()).query(EXPIRY_PREPARED)
    return opened
  }

  beforeAll(async () => {
    embedded = await doorway(startEmbedded)
    real = await doorway(startReal)
  })

  afterAll(async () => {
    for (const end of ends) await end[Symbol.asyncDispose]()
  })

  const cases = Object.entries(EXPIRY_CASES)
  const referee = new Referee('expiry', 'Sessions, tokens and grants that end', EXPIRY_DIFFERENCES)

  // Most of the time is spent waiting for an end: both servers wait for theirs at once.
  test.each(cases)('%s', async (name, run) => {
    const [ours, theirs] = await Promise.all([run(embedded), run(real)])
    referee.judge(name, ours, theirs)
  })

  test('and what differs is known', () => referee.settle(cases.length))
})
