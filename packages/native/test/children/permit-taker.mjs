// A process that takes one permit of the semaphore it is told of, and keeps it.
import { obey, say } from '@procref/conformance/harness'
import { PosixSemaphore } from '@procref/native'

const semaphore = PosixSemaphore.open(process.argv[2], { permits: 0 })
obey({})
say('taken', { taken: semaphore.tryWait() })
