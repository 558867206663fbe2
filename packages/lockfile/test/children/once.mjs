// Locks the file argv[2], looks whether it has it, gives it back, and stays.
import { lockfile } from '@procref/lockfile'
import { obey, say } from '@procref/testing/child'

const lock = lockfile({ leaseMs: 5_000 }).locks.tryLock(process.argv[2])
say('tried', { fence: lock?.fence ?? null })
say('looked', { current: lock?.isCurrent() ?? false })
lock?.release()
// After what the release told the thread to do.
lockfile({ leaseMs: 5_000 }).locks.tryLock(`${process.argv[2]}.another`)?.release()
say('over')
obey({})
