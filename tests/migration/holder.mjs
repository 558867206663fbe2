// Claims and releases slots in one part of a migration until it is killed: `holder.mjs PART FROM TO SLOTS_DIR EVIDENCE_DIR SLOTS`. Part 0 is
// a plain user of the old backend, 4 one of the new backend, 1 to 3 are the phases. It also ends when its parent has.
import { setTimeout as after } from 'node:timers/promises'
import { Evidence } from '../mixed/evidence.mjs'
import { backendOf } from './parts.mjs'

const [, , part, neighbour, from, to, dir, evidenceDir, slots] = process.argv
const evidence = new Evidence(evidenceDir, `part-${part}`, { byThread: from === 'robust-mutex' })
const parent = process.ppid
const options = { slots: Number(slots), label: `part ${part}` }
const pool = await backendOf(Number(part), from, to).open(dir, options)
// What a process of the neighbouring part would see while we hold a slot.
const seenByNeighbour = await backendOf(Number(neighbour), from, to).open(dir, options)

let told = false
while (process.ppid === parent) {
  const slot = await claim()
  if (!told) console.log('claimed')
  told = true
  const unmark = worldsOf(slot).map((world) => evidence.mark(world))
  if (Math.random() < 0.3) await after(1)
  if (Math.random() < 0.2) await mustBeSeen()
  for (const undo of unmark) undo()
  await slot.release()
}

/** A slot of the old pool and one of the new pool are different things, also with one number. */
function worldsOf(slot) {
  if (slot.parts !== undefined) return [`old-${slot.parts.old.id}`, `new-${slot.parts.next.id}`]
  return [`${part === '0' ? 'old' : 'new'}-${slot.id}`]
}

async function mustBeSeen() {
  const empty = await seenByNeighbour.provenEmpty()
  const held = await seenByNeighbour.held()
  if (!empty && held.some(({ pid }) => pid === process.pid)) return
  console.log(JSON.stringify({ event: 'unseen', part, neighbour, empty, held: held.length }))
}

/** As everybody here: whatever comes first, without end. */
async function claim() {
  for (;;) {
    try {
      return await pool.claim({ timeoutMs: 600_000 })
    } catch (error) {
      if (error.code !== 'PROCREF_SLOT_PROBED') throw error
    }
  }
}
