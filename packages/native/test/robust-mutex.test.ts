import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { robustMutex } from '@procref/native'
import { atEnd, eventually, freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { claimIn, startHolder } from './holder.ts'
import { describeNative } from './native-built.ts'

describeNative('robustMutex()', () => {
  const slotsDir = (): string => join(freshDir(), 'slots')
  const fileOf = (dir: string): string => join(dir, 'robust.mutexes')

  test('the file is made whole, for us alone', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 4 }))
    await pool.claim()
    const { mode, size } = statSync(fileOf(dir))
    expect(mode & 0o777).toBe(0o600)
    expect(size).toBe(4096 + 4 * (16 + 512))
  })

  test('many processes that claim first make one file', async () => {
    const dir = slotsDir()
    const holders = await Promise.all(Array.from({ length: 5 }, () => startHolder('robustMutex', dir, { slots: 4 })))
    const slots = await Promise.all(holders.map(claimIn))
    expect(slots.filter((slot) => slot !== null).toSorted()).toEqual([0, 1, 2, 3])
  })

  test('a truncated file kills nobody: slots in it are lost, looks and claims say what is wrong', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 2 }))
    const slot = await pool.claim()
    truncateSync(fileOf(dir))
    await expect(pool.provenEmpty()).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED', path: fileOf(dir) })
    await expect(pool.tryClaim()).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED' })
    await expect(robustMutex().open(dir)).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED' })
    await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
    await slot.release()
    rmSync(fileOf(dir))
    await (await pool.claim()).verify()
  })

  test('a file of something else, and a copy, are refused by name', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 2 }))
    await pool.claim()
    const copy = readFileSync(fileOf(dir))
    rmSync(fileOf(dir))
    for (const bytes of [copy, 'hello', '', Buffer.alloc(1 << 20)]) {
      writeFileSync(fileOf(dir), bytes)
      await expect(robustMutex().open(dir)).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED', path: fileOf(dir) })
    }
  })

  test('a file of an earlier boot is replaced, whoever it says holds a slot', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 1 }))
    await pool.claim()
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const bytes = readFileSync(fileOf(dir))
    const at = bytes.indexOf(boot)
    expect(at).toBeGreaterThan(0)
    bytes.write('00000000-0000-0000-0000-000000000000', at)
    // In place: the same inode, as after a real boot.
    writeFileSync(fileOf(dir), bytes, { flag: 'r+' })
    const next = atEnd(await robustMutex().open(dir))
    expect(await next.provenEmpty()).toBe(true)
    expect((await next.claim()).id).toBe(0)
    expect(await next.tryClaim()).toBeUndefined()
  })

  test('a slot is lost when its directory is deleted; its holder still counts for who has seen it', async () => {
    const dir = slotsDir()
    const holder = await startHolder('robustMutex', dir, { slots: 1 })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await robustMutex().open(dir))
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

  test('a slot whose word somebody overwrote is lost', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 1 }))
    const slot = await pool.claim()
    await slot.verify()
    const fd = openSync(fileOf(dir), 'r+')
    writeSync(fd, new Uint8Array(4), 0, 4, 4096)
    closeSync(fd)
    await expect(slot.verify()).rejects.toMatchObject({ code: 'PROCREF_SLOT_LOST' })
  })

  test('a holder is named by its record', async () => {
    const dir = slotsDir()
    const holder = await startHolder('robustMutex', dir, { slots: 1, label: 'somebody' })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await robustMutex().open(dir))
    expect(await pool.held()).toMatchObject([{ slot: 0, pid: holder.pid, label: 'somebody' }])
  })

  test('a pool may have 2,048 slots, all of one process, and not one more', async () => {
    const dir = slotsDir()
    const pool = atEnd(await robustMutex().open(dir, { slots: 2_048 }))
    for (let claimed = 0; claimed < 2_048; claimed++) await pool.claim()
    expect(await pool.tryClaim()).toBeUndefined()
    expect(await pool.count()).toBe(2_048)
    await expect(robustMutex().open(slotsDir(), { slots: 2_049 })).rejects.toThrow(TypeError)
  })
})
