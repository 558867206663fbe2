import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sysv } from '@procref/native'
import { atEnd, eventually, freshDir, removeSet, removeSetsAfterwards, setExists } from '@procref/testing'
import { expect, test } from 'vitest'
import { claimIn, startHolder } from './holder.ts'
import { describeNative } from './native-built.ts'

interface SetRecord {
  readonly id: number
  readonly slots: number
  readonly magic: string
  readonly bootId: string
  readonly ipcNamespace: string
}

describeNative('sysv()', () => {
  removeSetsAfterwards()

  const slotsDir = (): string => join(freshDir(), 'slots')
  const recordOf = (dir: string): SetRecord => JSON.parse(readFileSync(join(dir, 'sysv.json'), 'utf8')) as SetRecord
  const rewrite = (dir: string, changes: Partial<SetRecord>): void =>
    writeFileSync(join(dir, 'sysv.json'), JSON.stringify({ ...recordOf(dir), ...changes }))

  test('the set is named in sysv.json, for us alone, and removed by the pool that closes last', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 3 }))
    await pool.claim()
    const { id, slots } = recordOf(dir)
    expect(slots).toBe(3)
    expect(setExists(id)).toBe(true)
    const other = await startHolder('sysv', dir)
    expect(await claimIn(other)).not.toBeNull()
    await pool.close()
    expect(setExists(id), 'the set was removed under a holder').toBe(true)
    other.send('verify')
    expect((await other.event('verify')).error).toBeNull()
    other.send('close')
    await other.event('close')
    expect(setExists(id)).toBe(false)
  })

  test('a pool that is open while another one removes the set claims in a new one, and sees its holders', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 2 }))
    await (await pool.claim()).release()
    const first = recordOf(dir).id
    await (await sysv().open(dir)).close()
    expect(setExists(first)).toBe(false)
    expect(await pool.provenEmpty()).toBe(true)
    const other = await startHolder('sysv', dir)
    expect(await claimIn(other)).not.toBeNull()
    expect(await pool.count()).toBe(1)
    await pool.claim()
    expect(await pool.tryClaim()).toBeUndefined()
    expect(recordOf(dir).id).not.toBe(first)
  })

  test('many processes that claim first make one set', async () => {
    const dir = slotsDir()
    const holders = await Promise.all(Array.from({ length: 5 }, () => startHolder('sysv', dir, { slots: 4 })))
    const slots = await Promise.all(holders.map(claimIn))
    expect(slots.filter((slot) => slot !== null).toSorted()).toEqual([0, 1, 2, 3])
  })

  test('a slot is lost when somebody removes the set, and the next claim makes a new one', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 1 }))
    const slot = await pool.claim()
    removeSet(recordOf(dir).id)
    expect(await pool.provenEmpty()).toBe(true)
    const next = await pool.claim()
    await expect(slot.verify()).rejects.toMatchObject({
      code: 'PROCREF_SLOT_LOST',
      message: expect.stringContaining('removed'),
    })
    await slot.release()
    await next.verify()
    expect(await pool.tryClaim()).toBeUndefined()
  })

  test('a slot is lost when its directory is deleted; its holder still counts for who has seen it', async () => {
    const dir = slotsDir()
    const holder = await startHolder('sysv', dir, { slots: 1 })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await sysv().open(dir))
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

  test('a set of an earlier boot is passed over, and so is an id that leads to another set', async () => {
    for (const changes of [{ bootId: 'another boot' }, { magic: '0123456789abcdef' }]) {
      const dir = slotsDir()
      const before = atEnd(await sysv().open(dir, { slots: 1 }))
      await before.claim()
      const { id } = recordOf(dir)
      rewrite(dir, changes)
      const pool = atEnd(await sysv().open(dir))
      await pool.claim()
      expect(recordOf(dir)).not.toMatchObject({ id })
      expect(setExists(id)).toBe(true)
    }
  })

  test('a set of another IPC namespace is never replaced', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 1 }))
    await pool.claim()
    rewrite(dir, { ipcNamespace: 'ipc:[1]' })
    await expect(sysv().open(dir)).rejects.toMatchObject({ code: 'PROCREF_IPC_NAMESPACE_MISMATCH', found: 'ipc:[1]' })
    expect(recordOf(dir).ipcNamespace).toBe('ipc:[1]')
  })

  test('a damaged sysv.json is refused by name, not replaced, and keeps nobody from being counted', async () => {
    const dir = slotsDir()
    const pool = atEnd(await sysv().open(dir, { slots: 1 }))
    await pool.claim()
    for (const text of [
      '',
      'hello',
      '{}',
      '{"format":1}',
      '{"format":1,"id":-1,"slots":1,"magic":"x"}',
      '7'.repeat(9000),
    ]) {
      writeFileSync(join(dir, 'sysv.json'), text)
      await expect(sysv().open(dir), text.slice(0, 50)).rejects.toMatchObject({ code: 'PROCREF_TABLE_DAMAGED' })
      expect(await pool.count()).toBe(1)
    }
  })

  test('a holder is named by its record, and without that by the pid that the kernel knows', async () => {
    const dir = slotsDir()
    const holder = await startHolder('sysv', dir, { slots: 1, label: 'somebody' })
    expect(await claimIn(holder)).toBe(0)
    const pool = atEnd(await sysv().open(dir))
    expect(await pool.held()).toMatchObject([{ slot: 0, pid: holder.pid, label: 'somebody' }])
    writeFileSync(join(dir, 'sysv.labels'), '')
    expect(await pool.held()).toEqual([{ slot: 0, pid: holder.pid }])
    writeFileSync(join(dir, 'sysv.labels'), '1\n{"pid":1,"label":"of an earlier holder"}')
    expect(await pool.held()).toEqual([{ slot: 0, pid: holder.pid }])
  })

  test('a pool may have 31,994 slots and not one more; what the kernel has no room for is an error of its own', async () => {
    const pool = atEnd(await sysv().open(slotsDir(), { slots: 31_994 }))
    await pool.claim()
    expect(await pool.count()).toBe(1)
    await expect(sysv().open(slotsDir(), { slots: 31_995 })).rejects.toThrow(TypeError)
  })
})
