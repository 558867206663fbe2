// The waiter of wake.mjs: at each line it claims the only slot of DIRECTORY, waiting for it, says when it had it, and gives it back.
import { createInterface } from 'node:readline'
import { native } from '@procref/native'

const pool = await native().open(process.argv[2], { slots: 1 })
console.log('open')
for await (const _ of createInterface({ input: process.stdin })) {
  const slot = await pool.claim({ timeoutMs: 600_000 })
  const at = process.hrtime.bigint()
  await slot.release()
  console.log(`locked ${at}`)
}
await pool.close()
