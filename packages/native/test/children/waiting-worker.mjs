// A worker thread that waits for a lock and then ends, or is ended, in the way that it is told.
import { parentPort, workerData } from 'node:worker_threads'
import { native } from '@procref/native'

const { path, how } = workerData
const { locks } = native()
const { signal } = new AbortController()
locks.lockWhenFree(path, { signal })
locks.watch(path).waitFree()
parentPort.postMessage('waits')
if (how === 'exit') setImmediate(() => process.exit(3))
if (how === 'exception') {
  setImmediate(() => {
    throw new Error('on purpose')
  })
}
// `blocked`: whatever the waits bring, nobody here will ask for it.
if (how === 'blocked') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
parentPort.on('message', () => {})
