// A part of wake.mjs's herd: `wake-herd.mjs DIRECTORY EVIDENCE SIZE` opens SIZE pools on a directory with one slot, and obeys:
//
//   claim N   the first N pools claim the slot; says `waiting`, and `won NS` when one of them has it, which keeps it
//   drain     who has the slot, or gets it from now on, passes it on at once; says `draining NS CPU`, and `done NS CPU OVERLAPS`
//             when all N have had it (NS: when the last of them got it)
//   cpu       says `cpu CPU`: the microseconds of processor that all threads of this process have used
//
// Whoever has the slot has made the file EVIDENCE; that it was there already is an overlap.
import { rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { poolsOf } from './wake-pools.mjs'

const [, , dir, evidence, size] = process.argv
const pools = await poolsOf('native', dir, Number(size), 1)
const obey = { claim, drain, cpu: () => console.log(`cpu ${cpu()}`) }
let round
console.log('open')
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ')
  obey[word](Number(count))
}
for (const pool of pools) await pool.close()

function claim(count) {
  const drained = new Promise((resolve) => {
    round = { unserved: count, overlaps: 0, isDraining: false, drain: resolve }
  })
  for (const pool of pools.slice(0, count)) serve(pool, drained)
  console.log('waiting')
}

function drain() {
  console.log(`draining ${process.hrtime.bigint()} ${cpu()}`)
  round.isDraining = true
  round.drain()
}

async function serve(pool, drained) {
  const slot = await pool.claim({ timeoutMs: 600_000 })
  const at = process.hrtime.bigint()
  const isAlone = mark()
  if (!isAlone) round.overlaps++
  if (!round.isDraining) {
    console.log(`won ${at}`)
    await drained
  }
  if (isAlone) rmSync(evidence)
  await slot.release()
  round.unserved--
  if (round.unserved === 0) console.log(`done ${at} ${cpu()} ${round.overlaps}`)
}

function mark() {
  try {
    writeFileSync(evidence, '', { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

function cpu() {
  const { user, system } = process.cpuUsage()
  return user + system
}
