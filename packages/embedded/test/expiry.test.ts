import { HANGS_MS, surrealBinary } from '@procref/testing'
import { describe, test } from 'vitest'
import { bothDoorways } from './doorways.ts'
import { EXPIRY_CASES, EXPIRY_DIFFERENCES, EXPIRY_PREPARED } from './expiry-cases.ts'
import { Referee } from './referee.ts'

describe.runIf(surrealBinary() !== undefined)('what is over is over as with the real server', () => {
  const doorways = bothDoorways(EXPIRY_PREPARED)
  const cases = Object.entries(EXPIRY_CASES)
  const referee = new Referee('expiry', 'Sessions, tokens and grants that end', EXPIRY_DIFFERENCES)

  // Most of the time is spent waiting for an end: both servers wait for theirs at once.
  test.each(cases)('%s', { timeout: 3 * HANGS_MS }, async (name, run) => {
    const { embedded, real } = doorways()
    const [ours, theirs] = await Promise.all([run(embedded), run(real)])
    referee.judge(name, ours, theirs)
  })

  test('and what differs is known', () => referee.settle(cases.length))
})
