import { describe, expect, test } from 'vitest'
import { expectOneServer, herdLimitMs, herdRound, stormRound } from './herd.ts'
import { clientsOf, DRIVERS } from './service.ts'

// Samples of tests/soak, which repeats them.
describe.each(DRIVERS)('many processes at once (%s)', (driver) => {
  test('50 connect to a cold directory at the same moment: one server, one guardian, 50 slots', {
    timeout: 2 * herdLimitMs(50),
  }, async () => {
    expectOneServer(await herdRound(clientsOf(driver), 50))
  })

  test('random processes are killed and stopped while 8 write: every acknowledged row is there', async () => {
    const { rows, epochs } = await stormRound(driver, 1, 8)
    expect(rows).toBeGreaterThan(0)
    expect(epochs).toBeGreaterThan(1)
  })
})
