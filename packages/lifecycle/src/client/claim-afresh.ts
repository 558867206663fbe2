import type { Slot, SlotBackend, SlotPool } from '@procref/core'
import { openSlots } from '../open-slots.ts'

/** The slot's number may be any. */
const CLAIM_TIMEOUT_MS = 30_000

export interface SlotsPlace {
  readonly backend: SlotBackend
  /** The pool's folder. */
  readonly dir: string
  readonly label: string | undefined
  readonly allowUnsafeFilesystem: boolean | undefined
}

/**
 * Another slot, in a newly opened pool (of the same size, where it has to be made), for one whose file was deleted or replaced.
 *
 * Caller: make sure that the folder is still the one that the slot is to count in; close the old pool.
 * Rejects with what keeps the pool from being opened or a slot from being claimed, or with the signal's reason.
 */
export async function claimAfresh(
  place: SlotsPlace,
  size: number,
  signal: AbortSignal,
): Promise<{ readonly pool: SlotPool; readonly slot: Slot }> {
  const { backend, dir, label, allowUnsafeFilesystem } = place
  const pool = await openSlots(backend, dir, size, {
    ...(label !== undefined && { label }),
    ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }),
  })
  try {
    return { pool, slot: await pool.claim({ timeoutMs: CLAIM_TIMEOUT_MS, signal }) }
  } catch (error) {
    await pool.close()
    throw error
  }
}
