// Ends worker threads that wait for slots, in the way of its last argument, and says what is left of them.
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { eventually } from '@procref/conformance/harness'
import { robustMutex, sysv } from '@procref/native'
import { say } from '@procref/testing/child'

const [factory, dir, how] = process.argv.slice(2)
const pool = await { robustMutex, sysv }[factory]().open(dir, { slots: 2 })

async function endOne() {
  const held = [await pool.claim(), await pool.claim()]
  const worker = new Worker(new URL('./table-waiting-worker.mjs', import.meta.url), {
    workerData: { factory, dir, how },
  })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  worker.on('error', () => {})
  // Not events.once(): that rejects when the error comes first.
  await new Promise((resolve) => worker.once('message', resolve))
  if (how === 'terminate') {
    // Its thread may have a slot now of which its JavaScript does not know.
    await held.pop().release()
    await worker.terminate()
  }
  await ended
  for (const slot of held) await slot.release()
}

const count = (what) => readdirSync(`/proc/self/${what}`).length
await endOne()
// The first one has opened what Node keeps open for all.
const [fds, threads] = [count('fd'), count('task')]
for (let n = 0; n < 5; n++) await endOne()
await eventually('the threads have ended', () => count('task') <= threads)
const newDescriptors = count('fd') - fds
const empty = await pool.provenEmpty()
await pool.close()
say('done', { newDescriptors, empty })
