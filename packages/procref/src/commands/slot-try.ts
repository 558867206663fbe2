import type { Colors } from '../cli/output.ts'
import { type PoolOptions, withPool } from '../slot-pool.ts'

export interface SlotTryOptions extends PoolOptions {
  readonly json?: boolean
}

export interface SlotTryResult {
  /** The slot that was claimed and given back. */
  readonly slot: number
  readonly size: number
  readonly backend: string
}

/** Claims a slot and gives it back. Throws `SlotsExhaustedError` when every slot was proven to be held. */
export async function trySlot(options: SlotTryOptions): Promise<SlotTryResult> {
  return await withPool(options, async (pool) => {
    await using slot = await pool.claim()
    return { slot: slot.id, size: pool.size, backend: pool.backend }
  })
}

export function viewSlotTry(result: SlotTryResult, colors: Colors): string {
  return `${colors.green('free:')} slot ${result.slot} of ${result.size} was claimed and given back (${result.backend})`
}
