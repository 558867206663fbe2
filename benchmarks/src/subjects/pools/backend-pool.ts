import type { Slot, SlotBackend } from '@procref/core'
import type { SubjectClaim, SubjectPool } from '../../subject.ts'

const PATIENCE_MS = 120_000

/** The pool of a backend, as a user of the package has it. */
export async function backendPool(backend: SlotBackend, dir: string, slots: number): Promise<SubjectPool> {
  const pool = await backend.open(dir, { slots })
  return {
    async tryClaim() {
      const slot = await pool.tryClaim()
      return slot === undefined ? undefined : claimOf(slot)
    },
    claim: async () => claimOf(await pool.claim({ timeoutMs: PATIENCE_MS })),
    holders: async () => (await pool.held()).flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
    close: () => pool.close(),
  }
}

function claimOf(slot: Slot): SubjectClaim {
  return {
    slot: slot.id,
    release: () => slot.release(),
    async verify() {
      try {
        await slot.verify()
        return true
      } catch (error) {
        if (slot.lost.aborted) return false
        throw error
      }
    },
  }
}
