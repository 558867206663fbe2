// A process that takes one permit of the semaphore it is told of, and keeps it; or only waits for one, if it is told so.
import { obey, say } from '@procref/conformance/harness'
import { PosixSemaphore } from '@procref/native'

const [name, onlyWaits] = process.argv.slice(2)
const semaphore = PosixSemaphore.open(name, { permits: 0 })
const wait = () => {
  semaphore.wait()
  say('waits')
}
if (onlyWaits) {
  wait()
} else {
  obey({ post: () => semaphore.post(), wait })
  say('taken', { taken: semaphore.tryWait() })
}
