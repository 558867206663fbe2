// Eight threads, each with its own copy of the library's state, take and give back the lock argv[2] over and over; each says what it saw.
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { lockfile } from '@procref/lockfile'
import { say } from '@procref/testing/child'

const THREADS = 8
const ROUNDS = 40

if (isMainThread) {
  const inside = new Int32Array(new SharedArrayBuffer(4))
  const [, , path] = process.argv
  const threads = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: { path, inside } }),
  )
  const results = await Promise.all(
    threads.map(
      (thread) =>
        new Promise((resolve, reject) => {
          thread.on('message', resolve)
          thread.on('error', reject)
        }),
    ),
  )
  say('over', { results })
} else {
  const { parentPort } = await import('node:worker_threads')
  const { path, inside } = workerData
  const { locks } = lockfile({ leaseMs: 5_000 })
  const fences = []
  let together = 0
  while (fences.length < ROUNDS) {
    const lock = locks.tryLock(path)
    if (lock === undefined) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      continue
    }
    if (Atomics.add(inside, 0, 1) !== 0 || !lock.isCurrent()) together++
    fences.push(lock.fence)
    await new Promise((resolve) => setImmediate(resolve))
    Atomics.sub(inside, 0, 1)
    lock.release()
  }
  parentPort.postMessage({ fences, together })
}
