import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect } from '@procref/lifecycle'
import { atEnd, eventually } from '@procref/testing'
import { expect, test } from 'vitest'
import { serviceDir } from './service.ts'

// the server is replaced, and the connection is made again
// the program hears of that from the SDK, and closes its lease
// the lease would tell its listeners
test('a lease that is closed while it is connected again tells nobody of that', async () => {
  const driver = embeddedSurreal()
  const lease = atEnd(await connect({ dir: serviceDir(), backend: flock(), driver, lingerMs: 500 }))
  let told = 0
  lease.onReconnect(() => told++)
  let closing: Promise<void> | undefined
  lease.db.subscribe('connected', () => {
    closing = lease.close()
  })
  process.kill(lease.server.guardianPid, 'SIGKILL')
  await eventually('the lease is closed', () => closing !== undefined)
  await closing
  expect(told).toBe(0)
})
