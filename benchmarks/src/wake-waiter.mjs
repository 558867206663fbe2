// The waiter of wake.mjs: `wake-waiter.mjs BACKEND DIRECTORY SLOTS`. Once somebody else has one of the slots, a first line lets it claim
// all the others. At each further line it claims that one, waiting for it, says when it had it, and gives it back.
import { createInterface } from 'node:readline'
import { poolsOf } from './wake-pools.mjs'

const [, , backend, dir, slots] = process.argv
const [pool] = await poolsOf(backend, dir, 1, Number(slots))
console.log('open')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
await lines.next()
for (let n = 1; n < Number(slots); n++) await pool.claim()
console.log('full')
while (!(await lines.next()).done) {
  const claiming = pool.claim({ timeoutMs: 600_000 })
  console.log('waiting')
  const slot = await claiming
  const at = process.hrtime.bigint()
  await slot.release()
  console.log(`locked ${at}`)
}
await pool.close()
