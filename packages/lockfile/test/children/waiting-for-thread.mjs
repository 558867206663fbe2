// Locks the file argv[2]; every wait for the thread ends as if it had been a minute, as it does after a stop.
import { lockfile } from '@procref/lockfile'
import { say } from '@procref/testing/child'

const { now } = performance
const { wait } = Atomics
let slept = 0
performance.now = () => now.call(performance) + slept
let first = true
Atomics.wait = (array, index, value, ms) => {
  if (!first) return wait(array, index, value, ms)
  first = false
  slept = 60_000
  return 'timed-out'
}
say('tried', { fence: lockfile({ leaseMs: 5_000 }).locks.tryLock(process.argv[2])?.fence ?? null })
