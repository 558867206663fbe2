// Claims and releases slots through one of our backends until it is killed: `holder.mjs BACKEND SLOTS_DIR EVIDENCE_DIR SLOTS`. As all of
// these holders it also ends when its parent has, which cannot kill it any more.
import { setTimeout as after } from 'node:timers/promises'
import { flock } from '@procref/flock'
import { native } from '@procref/native'
import { Evidence } from './evidence.mjs'

const BACKENDS = { flock, native }

const [, , name, dir, evidenceDir, slots] = process.argv
const evidence = new Evidence(evidenceDir, name)
const parent = process.ppid
const pool = await BACKENDS[name]().open(dir, { slots: Number(slots), label: name })
while (process.ppid === parent) {
  const slot = await claim()
  const unmark = evidence.mark(slot.id)
  if (Math.random() < 0.3) await after(1)
  unmark()
  await slot.release()
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
