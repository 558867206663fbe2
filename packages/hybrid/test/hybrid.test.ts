import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hybrid } from '@procref/hybrid'
import { atEnd, eventually, freeze, freshDir, processState, removeSemaphoresAfterwards } from '@procref/testing'
import { expect, test } from 'vitest'
import { claimIn, startHolder, tell } from './holder.ts'
import { describeHybrid } from './hybrid-here.ts'
import {
  BOOT_AT,
  MAX_PROCESSES,
  PROCESSES_AT,
  readTable,
  semaphoresOf,
  sizeOfTable,
  tableFile,
  WORDS_AT,
  wordOf,
} from './table-bytes.ts'

/** Far longer than a test: nobody repairs by himself. */
const NEVER_MS = 3_600_000

function write(path: string, bytes: Uint8Array, at: number): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}

function wordBytes(word: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(word)
  return bytes
}

describeHybrid('hybrid()', () => {
  removeSemaphoresAfterwards()
  const slotsDir = (): string => join(freshDir(), 'slots')
  const ownerOf = (dir: string, slot: number): number | undefined => {
    const word = readTable(dir).words[slot]
    return typeof word === 'number' ? undefined : word?.pid
  }

  test('the table is made whole, for us alone', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid().open(dir, { slots: 4 }))
    await pool.claim()
    const { mode, size } = statSync(tableFile(dir))
    expect(mode & 0o777).toBe(0o600)
    expect(size).toBe(sizeOfTable(4))
  })

  test('many processes that claim first make one table', async () => {
    const dir = slotsDir()
    const holders = await Promise.all(Array.from({ length: 5 }, () => startHolder(dir, { slots: 4 })))
    const slots = await Promise.all(holders.map(claimIn))
    expect(slots.filter((slot) => slot !== null).toSorted()).toEqual([0, 1, 2, 3])
    expect(readTable(dir).processes.length).toBe(5)
  })

  test('the last pool that is closed leaves no semaphore, and the next one has all slots', async () => {
    const dir = slotsDir()
    for (let round = 0; round < 3; round++) {
      const other = await startHolder(dir, { slots: 2 })
      const pool = await hybrid().open(dir, { slots: 2 })
      await pool.claim()
      expect(await claimIn(other)).not.toBe(null)
      expect(await pool.tryClaim()).toBeUndefined()
      await pool.close()
      expect(semaphoresOf(dir).length).toBe(1)
      await tell(other, 'close')
      expect(semaphoresOf(dir)).toEqual([])
    }
  })

  test('there is one watchdog, and when it is killed another one takes over', async () => {
    const dir = slotsDir()
    const holders = await Promise.all([1, 2, 3].map(() => startHolder(dir, { slots: 3 })))
    for (const holder of holders) expect(await claimIn(holder)).not.toBe(null)
    for (let left = holders; left.length > 1; ) {
      await eventually('one of them is the watchdog', () =>
        left.some(({ pid }) => pid === readTable(dir).watchdog?.pid),
      )
      const watchdog = left.find(({ pid }) => pid === readTable(dir).watchdog?.pid)
      watchdog?.kill('SIGKILL')
      await watchdog?.exited
      left = left.filter((holder) => holder !== watchdog)
      // Read, not asked for: a look would repair by itself.
      await eventually('its slot is free', () => {
        const { words } = readTable(dir)
        return words.filter((word) => typeof word !== 'number').length === left.length
      })
    }
  })

  test('a busy event loop keeps the watchdog from nothing', async () => {
    const dir = slotsDir()
    const until = join(freshDir(), 'idle')
    const busy = await startHolder(dir, { slots: 2, until })
    await claimIn(busy)
    const victim = await startHolder(dir)
    const slot = Number(await claimIn(victim))
    await tell(busy, 'busy')
    victim.kill('SIGKILL')
    await victim.exited
    await eventually('the slot is free', () => ownerOf(dir, slot) === undefined)
    writeFileSync(until, '')
    await busy.event('idle')
  })

  test('while the watchdog is stopped, whoever finds the pool full gives back what the dead have', async () => {
    const dir = slotsDir()
    const watchdog = await startHolder(dir, { slots: 2 })
    await claimIn(watchdog)
    const victim = await startHolder(dir, { scanMs: NEVER_MS })
    const slot = await claimIn(victim)
    await eventually('it is the watchdog', () => readTable(dir).watchdog?.pid === watchdog.pid)
    await freeze(watchdog.pid)
    victim.kill('SIGKILL')
    await victim.exited
    const pool = atEnd(await hybrid({ scanMs: NEVER_MS }).open(dir))
    expect((await pool.tryClaim())?.id).toBe(slot)
    expect(await pool.tryClaim()).toBeUndefined()
    expect(ownerOf(dir, 1 - Number(slot))).toBe(watchdog.pid)
  })

  test('a claim that waits gets the slot of a killed holder although nobody else looks', async () => {
    const dir = slotsDir()
    const victim = await startHolder(dir, { slots: 1, scanMs: NEVER_MS })
    await claimIn(victim)
    const pool = atEnd(await hybrid({ scanMs: NEVER_MS }).open(dir))
    const claiming = pool.claim({ timeoutMs: 30_000 })
    victim.kill('SIGKILL')
    expect((await claiming).id).toBe(0)
  })

  test('a process that is gone makes room in the list for another one', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid({ scanMs: 20 }).open(dir, { slots: 1 }))
    await pool.claim()
    for (let round = 0; round < 3; round++) {
      const other = await startHolder(dir)
      expect(readTable(dir).processes.length).toBe(2)
      other.kill('SIGKILL')
      await other.exited
      await eventually('it is off the list', () => readTable(dir).processes.length === 1)
    }
  })

  test('a list full of processes that live refuses another one, and one full of the dead does not', async () => {
    const dir = slotsDir()
    await (await hybrid().open(dir, { slots: 1 })).claim()
    const list = (startTicks: number): Buffer => {
      const place = Buffer.concat([wordBytes(wordOf({ pid: 1, startTicks })), Buffer.alloc(8)])
      return Buffer.concat(Array.from({ length: MAX_PROCESSES }, () => place))
    }
    const startTicks = processState(1)?.startTicks ?? 0
    write(tableFile(dir), list(startTicks), PROCESSES_AT)
    await expect(hybrid().open(dir)).rejects.toMatchObject({ code: 'PROCREF_TOO_MANY_PROCESSES', path: tableFile(dir) })
    write(tableFile(dir), list(startTicks + 1), PROCESSES_AT)
    await (await hybrid().open(dir)).close()
  })

  test('a truncated table kills nobody: slots in it are lost, looks and claims say what is wrong', async () => {
    const dir = slotsDir()
    // While the watchdog stands still nobody here looks at the table by himself: in the middle of that it would be SIGBUS.
    const watchdog = await startHolder(dir, { slots: 2 })
    await claimIn(watchdog)
    await tell(watchdog, 'release')
    await eventually('it is the watchdog', () => readTable(dir).watchdog?.pid === watchdog.pid)
    await freeze(watchdog.pid)
    const pool = atEnd(await hybrid().open(dir, { slots: 2 }))
    const slot = await pool.claim()
    truncateSync(tableFile(dir))
    await expect(pool.provenEmpty()).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED', path: tableFile(dir) })
    await expect(pool.tryClaim()).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED' })
    await expect(hybrid().open(dir)).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED' })
    await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
    await slot.release()
    rmSync(tableFile(dir))
    await (await pool.claim()).verify()
  })

  test('a table of something else, and a copy, are refused by name', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid().open(dir, { slots: 2 }))
    await pool.claim()
    const copy = readFileSync(tableFile(dir))
    rmSync(tableFile(dir))
    for (const bytes of [copy, 'hello', '', Buffer.alloc(1 << 20)]) {
      writeFileSync(tableFile(dir), bytes)
      await expect(hybrid().open(dir)).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED', path: tableFile(dir) })
    }
  })

  test('a table of an earlier boot is replaced, whoever it says holds a slot, and its semaphores go', async () => {
    const dir = slotsDir()
    const holder = await startHolder(dir, { slots: 1 })
    await claimIn(holder)
    const semaphores = semaphoresOf(dir)
    expect(semaphores.length).toBe(1)
    holder.kill('SIGKILL')
    await holder.exited
    // In place: the same inode, as after a real boot.
    write(tableFile(dir), Buffer.from('00000000-0000-0000-0000-000000000000'), BOOT_AT)
    const pool = atEnd(await hybrid().open(dir))
    expect((await pool.claim()).id).toBe(0)
    expect(await pool.tryClaim()).toBeUndefined()
    expect(semaphoresOf(dir)).not.toContain(semaphores[0])
    expect(semaphoresOf(dir).length).toBe(1)
  })

  test('a slot is lost when its directory is deleted, and its holder still counts for who has seen it', async () => {
    const dir = slotsDir()
    const holder = await startHolder(dir, { slots: 1 })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await hybrid().open(dir))
    expect(await pool.count()).toBe(1)
    rmSync(dir, { recursive: true })
    expect(await pool.provenEmpty()).toBe(false)
    holder.send('verify')
    expect((await holder.event('verify')).error).toContain('deleted or replaced')
    const slot = await pool.claim()
    expect(await pool.count()).toBe(2)
    holder.kill('SIGKILL')
    await holder.exited
    await eventually('only we are left', async () => (await pool.count()) === 1)
    await slot.release()
    expect(await pool.provenEmpty()).toBe(true)
  })

  test('a slot whose word somebody overwrote is lost, and releasing it takes it from nobody', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid({ scanMs: NEVER_MS }).open(dir, { slots: 1 }))
    const slot = await pool.claim()
    await slot.verify()
    const other = wordOf({ pid: 1, startTicks: processState(1)?.startTicks ?? 0 })
    write(tableFile(dir), wordBytes(other), WORDS_AT)
    await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
    await slot.release()
    expect(ownerOf(dir, 0)).toBe(1)
    expect(await pool.tryClaim()).toBeUndefined()
  })

  test('rubbish in every word is nobody who lives, and the pool is whole again', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid({ scanMs: 20 }).open(dir, { slots: 3 }))
    await (await pool.claim()).release()
    write(tableFile(dir), Buffer.alloc(3 * 16, 0xff), WORDS_AT)
    for (let n = 0; n < 3; n++) {
      await eventually('another slot can be claimed', async () => (await pool.tryClaim()) !== undefined)
    }
    expect(await pool.tryClaim()).toBeUndefined()
  })

  test('a holder is named by its record', async () => {
    const dir = slotsDir()
    const holder = await startHolder(dir, { slots: 1, label: 'somebody' })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await hybrid().open(dir))
    expect(await pool.held()).toMatchObject([{ slot: 0, pid: holder.pid, label: 'somebody' }])
  })

  test('a pool may have 10,000 slots, all of one process, and not one more', async () => {
    const dir = slotsDir()
    const pool = atEnd(await hybrid().open(dir, { slots: 10_000 }))
    for (let claimed = 0; claimed < 10_000; claimed++) await pool.claim()
    expect(await pool.tryClaim()).toBeUndefined()
    expect(await pool.count()).toBe(10_000)
    await expect(hybrid().open(slotsDir(), { slots: 10_001 })).rejects.toThrow(TypeError)
  })

  test('what it promises names how often it looks; nonsense is refused', () => {
    expect(hybrid({ scanMs: 5_000 }).guarantees).toMatchObject({ crashRelease: 'watchdog', maxRecoveryMs: 5_800 })
    expect(hybrid({ scanMs: 5_000 }).descriptor.options).toEqual({ scanMs: 5_000 })
    for (const scanMs of [0, -1, 0.5, Number.NaN, 1e10]) expect(() => hybrid({ scanMs })).toThrow(TypeError)
  })
})
