// Claims and releases without end, and now and then dies or stops on purpose, at a step of its choice: `fire-holder.mjs DIR EVIDENCE`. It also
// ends when its parent has, which cannot kill it any more.
import { setTimeout as after } from 'node:timers/promises'
import { hybrid } from '@procref/hybrid'
import { Evidence } from '../../../../tests/mixed/evidence.mjs'
import { failAt } from './fail-at.mjs'

const STEPS = [
  'ClaimEntered',
  'PermitTaken',
  'SlotTaken',
  'ReleaseEntered',
  'ReleaseFreed',
  'ReleasePosted',
  'RepairEntered',
  'RepairFreed',
  'RepairPosted',
  'AdoptEntered',
  'AdoptFreed',
  'AdoptPosted',
  'SemaphoreMade',
  'GenerationSwitched',
  'SlotsAdopted',
  'DeadSettled',
]

/** While somebody stands still in the middle of a switch nobody can settle it, and a claim says so: who looks on lets it go on, or kills it. */
async function claimIfSettled() {
  try {
    // Both ways of claiming: who waits looks now and then, and who does not comes back at once.
    return Math.random() < 0.5 ? await pool.tryClaim() : await pool.claim({ timeoutMs: 600_000 })
  } catch (error) {
    if (error.code !== 'PROCREF_TABLE_UNSETTLED') throw error
    return undefined
  }
}

const [, , dir, evidenceDir] = process.argv
const evidence = new Evidence(evidenceDir, 'hybrid')
const parent = process.ppid
const pool = await hybrid().open(dir, { label: 'under fire' })
while (process.ppid === parent) {
  if (Math.random() < 0.02) failAt(STEPS[Math.floor(Math.random() * STEPS.length)], Math.random() < 0.2)
  const slot = await claimIfSettled()
  if (slot === undefined) {
    await after(1)
    continue
  }
  const unmark = evidence.mark(slot.id)
  if (Math.random() < 0.3) await after(1)
  unmark()
  await slot.release()
}
