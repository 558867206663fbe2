// Locks the file of its first argument, and keeps it until it is told to go.
import { native } from '@procref/native'
import { obey, say } from '@procref/testing/child'

const lock = native().locks.tryLock(process.argv[2])
obey({ release: () => lock.release() })
say('holds', { is: lock !== undefined })
