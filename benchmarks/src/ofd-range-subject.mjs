// One turn of ofd-range.mjs, in a fresh process: `ofd-range-subject.mjs PLACES`, a JSON list of { backend, dir, slots }. Prints, for each,
// the mean nanoseconds of what is measured there.
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { native as nativeFiles, ofdRange } from '@procref/native'

const ROUNDS = 20_000
/** Each takes a pool that has just been opened. */
const FIRSTS = 200
/** As FIRSTS, where each takes milliseconds. */
const FILE_SCANS = 20

const require = createRequire(import.meta.resolve('@procref/native/package.json'))
const folder = new URL('.', import.meta.resolve('@procref/native/package.json'))
const native = require(`./${readdirSync(folder).find((name) => name.endsWith('.node'))}`)
const record = Buffer.alloc(512, ' ')

async function nanoseconds(times, act) {
  const began = process.hrtime.bigint()
  await act(times)
  return Number(process.hrtime.bigint() - began) / times
}

async function throughPool(dir) {
  const pool = await ofdRange().open(dir)
  const claim = async (times) => {
    for (let n = 0; n < times; n++) {
      const slot = await pool.claim()
      await slot.release()
    }
  }
  await claim(ROUNDS / 10)
  const mean = await nanoseconds(ROUNDS, claim)
  await pool.close()
  return mean
}

async function bareCalls(dir, slots) {
  const pool = native.ofdOpen(dir, slots, record, Math.floor(Math.random() * slots))
  const claim = (times) => {
    for (let n = 0; n < times; n++) native.ofdRelease(pool, native.ofdTryClaim(pool))
  }
  claim(ROUNDS / 10)
  const mean = await nanoseconds(ROUNDS, claim)
  native.ofdClose(pool)
  return mean
}

/** The first claim of each pool that has just been opened: it opens a file, and knows nothing but the hints. */
function firstClaims(dir, slots) {
  let total = 0n
  for (let n = 0; n < FIRSTS; n++) {
    const pool = native.ofdOpen(dir, slots, record, Math.floor(Math.random() * slots))
    const began = process.hrtime.bigint()
    const token = native.ofdTryClaim(pool)
    total += process.hrtime.bigint() - began
    if (token < 0) throw new Error(`no slot of ${dir} was found without a look at all of them`)
    native.ofdRelease(pool, token)
    native.ofdClose(pool)
  }
  return Number(total) / FIRSTS
}

/** A claim of slot files, which tries one after the other. */
async function fileScans(dir) {
  let total = 0n
  for (let n = 0; n < FILE_SCANS; n++) {
    const pool = await nativeFiles().open(dir)
    const began = process.hrtime.bigint()
    const slot = await pool.claim()
    total += process.hrtime.bigint() - began
    await slot.release()
    await pool.close()
  }
  return Number(total) / FILE_SCANS
}

const measured = []
for (const { backend, dir, slots } of JSON.parse(process.argv[2])) {
  measured.push(
    backend === 'native'
      ? { fileScan: await fileScans(dir) }
      : { pool: await throughPool(dir), bare: await bareCalls(dir, slots), first: firstClaims(dir, slots) },
  )
}
console.log(JSON.stringify(measured))
