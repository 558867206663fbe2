// A worker thread that waits for slots of a full pool and then ends, or is ended, in the way that it is told.
import { parentPort, workerData } from 'node:worker_threads'
import { robustMutex, sysv } from '@procref/native'

const { factory, dir, how } = workerData
const pool = await { robustMutex, sysv }[factory]().open(dir)
pool.claim({ timeoutMs: 2 ** 31 - 1 })
pool.whenEmpty()
// A claim looks once before it waits.
await new Promise((resolve) => setImmediate(resolve))
parentPort.postMessage('waits')
if (how === 'exit') setImmediate(() => process.exit(3))
if (how === 'exception') {
  setImmediate(() => {
    throw new Error('on purpose')
  })
}
parentPort.on('message', () => {})
