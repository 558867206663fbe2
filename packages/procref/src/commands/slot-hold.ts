import { printJson } from '../cli/output.ts'
import { type PoolOptions, withPool } from '../slot-pool.ts'
import { whenToldToEnd } from '../until-told.ts'

export interface SlotHoldOptions extends PoolOptions {
  /** How long to wait for a slot, ms. */
  readonly wait?: number
}

/**
 * Claims a slot, prints one JSON line `{"slot":…,"pid":…,"backend":"…"}`, and holds the slot until stdin ends or a signal
 * comes. Rejects when the slot was lost meanwhile.
 */
export async function holdSlot(options: SlotHoldOptions): Promise<void> {
  await withPool(options, async (pool) => {
    using told = whenToldToEnd()
    const slot = await pool.claim({ timeoutMs: options.wait ?? 0, signal: told.signal }).catch((error: unknown) => {
      // Told to end while still waiting for a slot: nothing was claimed, nothing went wrong.
      if (error === told.signal.reason) return undefined
      throw error
    })
    if (slot === undefined) return
    printJson({ slot: slot.id, pid: process.pid, backend: pool.backend })
    await told.orLost(slot.lost)
  })
}
