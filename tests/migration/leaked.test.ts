import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MigrationPhase, migrating, type SlotPool } from '@procref/core'
import { isNativeCodeHere, native, PosixSemaphore } from '@procref/native'
import { atEnd, freshDir, mustBlock, startProgram } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { leakySemaphore, semaphoreName } from './children/leaky-semaphore.mjs'

const HOLDER = fileURLToPath(new URL('./children/leaky-semaphore.mjs', import.meta.url))
const SLOTS = 2

/** A pool of permits, of which so many were taken by holders that were killed then. */
async function leaked(permits: number): Promise<string> {
  const dir = join(freshDir(), 'slots')
  onTestFinished(() => void PosixSemaphore.unlink(semaphoreName(dir)))
  await (await leakySemaphore().open(dir, { slots: SLOTS })).close()
  for (let n = 0; n < permits; n++) {
    const holder = atEnd(startProgram(process.execPath, { args: [HOLDER, dir] }))
    expect(await holder.line()).toBe('claimed')
    holder.kill('SIGKILL')
    await holder.exited
  }
  return dir
}

function openPhase(dir: string, phase: MigrationPhase): Promise<SlotPool> {
  return migrating({ from: leakySemaphore(), to: native(), phase }).open(dir)
}

describe.runIf(isNativeCodeHere() && process.platform === 'linux')('a permit whose holder was killed', () => {
  test('is gone for good in the old world', async () => {
    const dir = await leaked(1)
    await using pool = await leakySemaphore().open(dir)
    await pool.claim()
    expect(await pool.tryClaim()).toBeUndefined()
  })

  test('is missing in phase 1, which is refused once none is left, says why, and keeps no new slot', async () => {
    const dir = await leaked(1)
    await using pool = await openPhase(dir, 1)
    await using slot = await pool.claim()
    await slot.verify()
    expect(await pool.tryClaim()).toBeUndefined()
    await expect(pool.claim({ timeoutMs: 50 })).rejects.toMatchObject({
      code: 'PROCREF_SLOTS_EXHAUSTED',
      message: expect.stringMatching(/old pool \(leaky-semaphore\) that is full.*go on to phase 2/s),
    })
    await using next = await openPhase(dir, 3)
    expect(await next.count()).toBe(1)
    // It waits for the old pool, holding nothing of the new one, and has both as soon as a permit is there.
    const finishes = await mustBlock('a claim of a full old pool', pool.claim({ timeoutMs: 600_000 }))
    expect(await next.count()).toBe(1)
    await slot.release()
    await (await finishes()).verify()
  })

  test('blocks no claim of phase 2 and 3, also when no permit is left at all; phase 2 still counts it as in use', async () => {
    const dir = await leaked(SLOTS)
    await using two = await openPhase(dir, 2)
    expect([await two.count(), await two.provenEmpty()]).toEqual([SLOTS, false])
    const slots = [await two.claim(), await two.claim()]
    expect(await two.tryClaim()).toBeUndefined()
    for (const slot of slots) await slot.release()
    await using three = await openPhase(dir, 3)
    expect([await three.count(), await three.provenEmpty()]).toEqual([0, true])
    expect([await three.tryClaim(), await three.tryClaim()]).not.toContain(undefined)
  })
})
