// Holds its share of several pools: each line is BACKEND DIR SLOTS CLAIM RELEASE; it claims so many slots, then releases so many of them
// at random, so that the free ones are scattered, and answers "held". Ends with its input.
import { createInterface } from 'node:readline'
import { native, ofdRange } from '@procref/native'

const backends = { native, ofdRange }

for await (const line of createInterface({ input: process.stdin })) {
  const [backend, dir, size, claim, release] = line.split(' ')
  const pool = await backends[backend]().open(dir, { slots: Number(size) })
  const slots = []
  for (let n = 0; n < Number(claim); n++) slots.push(await pool.claim())
  for (let n = 0; n < Number(release); n++) {
    const at = Math.floor(Math.random() * slots.length)
    const [slot] = slots.splice(at, 1, slots.at(-1))
    slots.pop()
    await slot.release()
  }
  console.log('held')
}
