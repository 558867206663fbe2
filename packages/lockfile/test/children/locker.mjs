// Tries to lock the file argv[2], and says whether it still has it when asked.
import { lockfile } from '@procref/lockfile'
import { obey, say } from '@procref/testing/child'

const lock = lockfile({ leaseMs: 5_000 }).locks.tryLock(process.argv[2])
obey({ look: () => say('looked', { current: lock?.isCurrent() ?? false }) })
say('tried', { fence: lock?.fence ?? null })
