// Starts a thousand waits in a full pool and calls them off, again and again, and says what is left of them each time.
import { setMaxListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { eventually } from '@procref/conformance/harness'
import { robustMutex, sysv } from '@procref/native'
import { ownMemory, say } from '@procref/testing/child'

const [factory, dir] = process.argv.slice(2)
const pool = await { robustMutex, sysv }[factory]().open(dir, { slots: 3 })
const held = [await pool.claim(), await pool.claim(), await pool.claim()]

async function round() {
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal)
  const waits = Array.from({ length: 1000 }, (_, n) =>
    n % 2 === 0 ? pool.claim({ signal, timeoutMs: 2 ** 31 - 1 }) : pool.whenEmpty({ signal }),
  )
  // A claim looks once before it waits.
  await new Promise((resolve) => setImmediate(resolve))
  const threads = count('task')
  controller.abort()
  const ended = await Promise.allSettled(waits)
  return { threads, rejected: ended.filter(({ reason }) => reason === controller.signal.reason).length }
}

function count(what) {
  return readdirSync(`/proc/self/${what}`).length
}

let warnings = 0
process.on('warning', () => warnings++)

const before = { threads: count('task') }
const rounds = []
for (let n = 0; n < 9; n++) {
  const { threads, rejected } = await round()
  // The thread that sends the signals ends a moment later.
  await eventually('the threads have ended', () => count('task') <= before.threads)
  globalThis.gc()
  rounds.push({ waiting: threads - before.threads, rejected, fds: count('fd'), memory: ownMemory(process.pid) })
}
for (const slot of held) await slot.release()
const again = [await pool.claim(), await pool.claim(), await pool.claim()]
for (const slot of again) await slot.release()
const empty = await pool.provenEmpty()
await pool.close()
say('done', { rounds, empty, warnings })
