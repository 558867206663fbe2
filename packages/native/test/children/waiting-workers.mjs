// Ends worker threads that wait for a lock, in the way of its second argument, and says what is left of them.
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { eventually } from '@procref/conformance/harness'
import { native } from '@procref/native'
import { say } from '@procref/testing/child'

const [path, how] = process.argv.slice(2)
const { locks } = native()
const lock = () => eventually('the lock can be had', () => locks.tryLock(path))

async function endOne() {
  const held = await lock()
  const watch = locks.watch(path)
  const worker = new Worker(new URL('./waiting-worker.mjs', import.meta.url), { workerData: { path, how } })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  worker.on('error', () => {})
  // Not events.once(): that rejects when the error comes first.
  await new Promise((resolve) => worker.once('message', resolve))
  if (how === 'blocked') {
    held.release()
    // Its thread has the lock now, and its JavaScript does not know.
    await eventually('the waiting thread has the lock', () => watch.probe() === 'held')
  }
  if (how === 'terminate' || how === 'blocked') await worker.terminate()
  await ended
  held.release()
  watch.close()
  ;(await lock()).release()
}

const count = (what) => readdirSync(`/proc/self/${what}`).length
const threads = count('task')
await endOne()
// The first one has opened what Node keeps open for all.
const fds = count('fd')
for (let n = 0; n < 5; n++) await endOne()
await eventually('the threads have ended', () => count('task') <= threads)
say('done', { newDescriptors: count('fd') - fds })
