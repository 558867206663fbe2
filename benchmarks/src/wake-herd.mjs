// A part of wake.mjs's herd: `wake-herd.mjs DIRECTORY EVIDENCE COUNT` waits COUNT times for the only slot, each time through a pool of
// its own as another program would, passes it on at once, and says what that cost. Whoever has the slot has EVIDENCE/slot alone.
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { native } from '@procref/native'

const [, , dir, evidence, count] = process.argv
const mark = join(evidence, 'slot')
const pools = []
for (let n = 0; n < Number(count); n++) pools.push(await native().open(dir, { slots: 1 }))
console.log('open')
let twoAtOnce = 0

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
await input.next()
const before = process.cpuUsage()
await Promise.all(pools.map(waitAndPassOn))
const at = process.hrtime.bigint()
const { user, system } = process.cpuUsage(before)
console.log(`done ${user + system} ${twoAtOnce} ${at}`)
await input.next()
for (const pool of pools) await pool.close()

async function waitAndPassOn(pool) {
  const slot = await pool.claim({ timeoutMs: 600_000 })
  try {
    mkdirSync(mark)
    rmdirSync(mark)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    twoAtOnce++
  }
  await slot.release()
}
