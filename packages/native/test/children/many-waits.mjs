// Starts a thousand waits for a held lock and calls them off, again and again, and says what is left of them each time.
import { setMaxListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { eventually } from '@procref/conformance/harness'
import { native } from '@procref/native'
import { ownMemory, say } from '@procref/testing/child'

const path = process.argv[2]
const { locks } = native()
const held = locks.tryLock(path)
const watch = locks.watch(path)

async function round() {
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal)
  const waits = Array.from({ length: 1000 }, (_, n) =>
    n % 2 === 0 ? locks.lockWhenFree(path, { signal }) : watch.waitFree({ signal }),
  )
  const threads = count('task')
  controller.abort()
  const ended = await Promise.allSettled(waits)
  return { threads, rejected: ended.filter(({ reason }) => reason === controller.signal.reason).length }
}

function count(what) {
  return readdirSync(`/proc/self/${what}`).length
}

const before = { threads: count('task') }
const rounds = []
for (let n = 0; n < 5; n++) {
  const { threads, rejected } = await round()
  // The thread that sends the signals ends a moment later.
  await eventually('the threads have ended', () => count('task') <= before.threads)
  globalThis.gc()
  rounds.push({ waiting: threads - before.threads, rejected, fds: count('fd'), memory: ownMemory(process.pid) })
}
held.release()
say('done', { rounds, free: locks.tryLock(path) !== undefined })
