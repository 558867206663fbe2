// The waiter of wake.mjs: `wake-waiter.mjs BACKEND DIRECTORY`. At each line it claims the only slot, waiting for it, says when it
// had it, and gives it back.
import { createInterface } from 'node:readline'
import { poolsOf } from './wake-pools.mjs'

const [, , backend, dir] = process.argv
const [pool] = await poolsOf(backend, dir, 1)
console.log('open')
for await (const _ of createInterface({ input: process.stdin })) {
  const claiming = pool.claim({ timeoutMs: 600_000 })
  console.log('waiting')
  const slot = await claiming
  const at = process.hrtime.bigint()
  await slot.release()
  console.log(`locked ${at}`)
}
await pool.close()
