// Locks the file argv[2], ends the thread that keeps it, and locks another.
import { Worker } from 'node:worker_threads'
import { lockfile } from '@procref/lockfile'
import { say } from '@procref/testing/child'

const workers = []
const { unref } = Worker.prototype
Worker.prototype.unref = function () {
  workers.push(this)
  return unref.call(this)
}
const [, , path] = process.argv
const { locks } = lockfile({ leaseMs: 5_000 })
const lock = locks.tryLock(path)
lock.onLost((reason) => {
  say('lost', { reason, current: lock.isCurrent() })
  const another = locks.tryLock(`${path}.another`)
  say('again', { fence: another.fence, current: another.isCurrent() })
})
await workers[0].terminate()
