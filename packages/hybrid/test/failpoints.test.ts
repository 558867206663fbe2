import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hybrid } from '@procref/hybrid'
import { atEnd, type Child, eventually, freshDir, processState, removeSemaphoresAfterwards } from '@procref/testing'
import { expect, test } from 'vitest'
import { claimIn, startHolder, tell } from './holder.ts'
import { describeHybrid } from './hybrid-here.ts'
import { claimAll, expectAllPermits } from './settled.ts'
import { readTable, semaphoresOf } from './table-bytes.ts'

const SLOTS = 3
/** Far longer than a test: nobody repairs by himself. */
const NEVER_MS = 3_600_000
const CLAIM = ['ClaimEntered', 'PermitTaken', 'SlotTaken'] as const
const RELEASE = ['ReleaseEntered', 'ReleaseFreed', 'ReleasePosted'] as const
const MEND = [
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
] as const

describeHybrid('a process that ends or stops at the worst moment', () => {
  removeSemaphoresAfterwards()
  const slotsDir = (): string => join(freshDir(), 'slots')

  /** A process that reaches `step` in a claim or a release. */
  async function reach(dir: string, step: string, stops = false): Promise<Child> {
    const victim = await startHolder(dir, { slots: SLOTS, step, stops, scanMs: NEVER_MS })
    expect(await claimIn(victim)).toEqual(expect.any(Number))
    await tell(victim, 'arm')
    victim.send(step.startsWith('Release') ? 'release' : 'tryClaim')
    return victim
  }

  /** A watchdog that reaches `step` while it mends what a process has left that held a slot and died with a permit in its hands. */
  async function reachAsWatchdog(dir: string, step: string, stops = false): Promise<Child> {
    const watchdog = await startHolder(dir, { slots: SLOTS, step, stops })
    // The first claim makes the table.
    await claimIn(watchdog)
    await tell(watchdog, 'release')
    await eventually('it is the watchdog', () => readTable(dir).watchdog?.pid === watchdog.pid)
    await tell(watchdog, 'arm')
    const victim = await reach(dir, 'PermitTaken')
    await victim.exited
    return watchdog
  }

  async function stoodStill(child: Child): Promise<void> {
    await eventually('it has stopped', () => processState(child.pid)?.state === 'T')
  }

  test.each([...CLAIM, ...RELEASE])('killed at %s: every permit comes back, and not one more', async (step) => {
    const dir = slotsDir()
    const victim = await reach(dir, step)
    expect((await victim.exited).signal).toBe('SIGKILL')
    await expectAllPermits(dir)
  })

  test.each(MEND)('the watchdog killed at %s: every permit comes back, and not one more', async (step) => {
    const dir = slotsDir()
    const watchdog = await reachAsWatchdog(dir, step)
    expect((await watchdog.exited).signal).toBe('SIGKILL')
    await expectAllPermits(dir)
  })

  test.each(MEND)('the watchdog killed at %s: its successor finishes at once what it had begun', async (step) => {
    const dir = slotsDir()
    const watchdog = await reachAsWatchdog(dir, step)
    const successor = await startHolder(dir)
    await watchdog.exited
    await eventually('the dead are off the list, and no slot is theirs', () => {
      const { processes, words, generation } = readTable(dir)
      return processes.every(({ pid }) => pid === successor.pid) && words.every((word) => word === generation)
    })
    for (let n = 0; n < SLOTS; n++) expect(await claimIn(successor)).toEqual(expect.any(Number))
    expect(await claimIn(successor)).toBe(null)
  })

  test.each(['ClaimEntered', 'PermitTaken', 'ReleaseFreed', 'ReleasePosted'])(
    'stopped at %s: nobody waits for it, its permit is made anew, and it does no harm when it goes on',
    async (step) => {
      const dir = slotsDir()
      const stopped = await reach(dir, step, true)
      await stoodStill(stopped)
      const pool = atEnd(await hybrid().open(dir))
      // It holds one slot, unless it had given it back.
      const held = step.startsWith('Release') ? 0 : 1
      await claimAll(pool, SLOTS - held)
      stopped.kill('SIGCONT')
      if (held === 0) await stopped.event('release')
      else expect((await stopped.event('tryClaim')).slot).toBe(null)
      expect(await pool.tryClaim()).toBeUndefined()
      await tell(stopped, 'close')
      expect(await pool.count()).toBe(SLOTS - held)
      await pool.close()
      await expectAllPermits(dir)
    },
  )

  test('a slot that was taken by a process that then stopped stays its slot', async () => {
    const dir = slotsDir()
    const stopped = await reach(dir, 'SlotTaken', true)
    await stoodStill(stopped)
    const pool = atEnd(await hybrid().open(dir))
    await claimAll(pool, SLOTS - 2)
    stopped.kill('SIGCONT')
    expect((await stopped.event('tryClaim')).slot).toEqual(expect.any(Number))
  })

  test.each(['GenerationSwitched', 'AdoptEntered', 'AdoptPosted', 'SlotsAdopted', 'DeadSettled'])(
    'the watchdog stopped at %s: claims finish its work, and it does no harm when it goes on',
    async (step) => {
      const dir = slotsDir()
      const stopped = await reachAsWatchdog(dir, step, true)
      await stoodStill(stopped)
      const pool = atEnd(await hybrid().open(dir))
      await claimAll(pool)
      stopped.kill('SIGCONT')
      expect(await claimIn(stopped)).toBe(null)
      await eventually('the dead are off the list', () => readTable(dir).processes.length === 2)
      expect(await pool.tryClaim()).toBeUndefined()
      await pool.close()
      await tell(stopped, 'close')
      await expectAllPermits(dir)
    },
  )

  test('a claim that nobody can settle says so, and who has to be continued', async () => {
    const dir = slotsDir()
    // Freed and not posted, with the lock of the switch in its hands.
    const stopped = await reachAsWatchdog(dir, 'AdoptFreed', true)
    await stoodStill(stopped)
    const pool = atEnd(await hybrid().open(dir))
    const taken = async () => {
      for (let n = 0; n < SLOTS; n++) await pool.tryClaim()
    }
    await expect(taken()).rejects.toMatchObject({ code: 'PROCREF_TABLE_UNSETTLED' })
    stopped.kill('SIGCONT')
    const lastSlot = async () => {
      try {
        return await pool.tryClaim()
      } catch (error) {
        // It has not had a processor since.
        if ((error as NodeJS.ErrnoException).code !== 'PROCREF_TABLE_UNSETTLED') throw error
        return undefined
      }
    }
    await eventually('the last slot can be claimed', lastSlot)
    expect(await pool.count()).toBe(SLOTS)
  })

  test('a semaphore that was made and never became known is not in the way, and does not stay', async () => {
    const dir = slotsDir()
    const watchdog = await reachAsWatchdog(dir, 'SemaphoreMade')
    await watchdog.exited
    expect(semaphoresOf(dir).length).toBe(2)
    await expectAllPermits(dir)
    expect(semaphoresOf(dir)).toEqual([])
  })

  test('all who use a pool are killed: its semaphore stays until the next one comes and leaves', async () => {
    const dir = slotsDir()
    const holder = await startHolder(dir, { slots: 1 })
    await claimIn(holder)
    holder.kill('SIGKILL')
    await holder.exited
    expect(semaphoresOf(dir).length).toBe(1)
    await expectAllPermits(dir)
    expect(semaphoresOf(dir)).toEqual([])
  })

  test('the semaphores are for this user alone', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid().open(dir, { slots: 1 }))
    await pool.claim()
    const [name = ''] = semaphoresOf(dir)
    expect(statSync(join('/dev/shm', name)).mode & 0o777).toBe(0o600)
    // A switch, and with it another semaphore.
    rmSync(join('/dev/shm', name))
    await eventually('there is another one', () => semaphoresOf(dir).some((other) => other !== name))
    expect(await pool.tryClaim()).toBeUndefined()
  })
})
