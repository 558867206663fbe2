import { removeSemaphoresAfterwards, removeSetsAfterwards } from '@procref/testing'
import { describe, test } from 'vitest'
// Not part of the public interface: the list from which the command knows every backend by name.
import { KNOWN_BACKENDS } from '../../packages/procref/dist/backends.js'
import { essentials } from './essentials.ts'
import { expectOneServer, herdLimitMs, herdRound } from './herd.ts'
import { clientsOf, DRIVERS, type StartClient } from './service.ts'

// Those of the killed.
removeSemaphoresAfterwards()
removeSetsAfterwards()

const driver = DRIVERS.at(-1) ?? 'embedded'

describe.each(KNOWN_BACKENDS.map(({ name }) => name))('one SurrealDB, many processes, on %s', (backend) => {
  const start: StartClient = (dir, options = {}) => clientsOf(driver)(dir, { backend, ...options })

  essentials(start)

  test('20 connect to a cold directory at the same moment: one server, one guardian, 20 slots', {
    timeout: 2 * herdLimitMs(20),
  }, async () => {
    expectOneServer(await herdRound(start, 20))
  })
})
