import type { Slot, SlotPool } from '@procref/core'
import { hybrid } from '@procref/hybrid'
import { PermitTable } from '@procref/native'
import { eventually } from '@procref/testing'
import { expect } from 'vitest'
import { tableFile } from './table-bytes.ts'

/**
 * There are exactly as many permits as slots, and nobody has one: all slots can be claimed and not one more, then the semaphore has no permit;
 * and all are there again when they have been released.
 */
export async function expectAllPermits(dir: string): Promise<void> {
  const pool = await hybrid({ scanMs: 20 }).open(dir)
  try {
    const table = PermitTable.open(tableFile(dir), { scanMs: 20 })
    if (!(table instanceof PermitTable)) throw new Error(`${dir} has no table`)
    using _ = table
    const slots = await claimAll(pool)
    expect(table.permits().value).toBe(0)
    expect(await pool.count()).toBe(pool.size)
    for (const slot of slots) await slot.release()
    // Nobody else is there, so nothing is in the middle of anything.
    expect(table.permits().value).toBe(pool.size)
    expect(await pool.provenEmpty()).toBe(true)
  } finally {
    await pool.close()
  }
}

/** All slots of the pool, as soon as they can be had; one more is refused. */
export async function claimAll(pool: SlotPool, size: number = pool.size): Promise<readonly Slot[]> {
  const slots: Slot[] = []
  await eventually('every slot can be claimed', async () => {
    const slot = await pool.tryClaim()
    if (slot !== undefined) slots.push(slot)
    return slots.length === size
  })
  expect(await pool.tryClaim()).toBeUndefined()
  return slots
}
