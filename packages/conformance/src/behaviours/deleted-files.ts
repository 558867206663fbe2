import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { SlotBackend } from '@procref/core'
import type { Behaviour, Claim } from '../behaviour.ts'
import { type Context, claimOne } from '../context.ts'
import { onlySlotPath } from '../slot-paths.ts'
import { hasCode } from '../traits/rejects.ts'

/** Whose slot file was deleted or replaced finds out; whoever comes then is not kept away, and not disturbed by the release. */
export const deletedFiles: Behaviour = {
  name: 'deleted-files',
  claims: (backend) => [
    {
      title: 'a slot verifies as long as its file is where it was',
      async check({ open, poolDir }) {
        const slot = await claimOne(await open(poolDir(), { slots: 1 }))
        await slot.verify()
        await slot.verify()
        assert.equal(slot.lost.aborted, false)
      },
    },
    lostWhen('its file is deleted', backend, (path) => rmSync(path)),
    lostWhen('its file is replaced by another one', backend, (path) => {
      writeFileSync(`${path}.new`, '')
      renameSync(`${path}.new`, path)
    }),
    lostWhen('its file is moved away and a copy put in its place', backend, (path) => {
      renameSync(path, `${path}.old`)
      writeFileSync(path, '4711\n')
    }),
    {
      title: 'a slot is lost when the whole directory is deleted, and when it is made anew',
      async check({ open, poolDir, note }) {
        const dir = poolDir()
        const slot = await claimOne(await open(dir, { slots: 1 }))
        if (slot.path === undefined) return note('slots have no files that could be deleted')
        rmSync(dir, { recursive: true })
        const again = await open(dir, { slots: 1 })
        await again.close()
        await assert.rejects(slot.verify(), hasCode('PROCREF_SLOT_LOST'))
      },
    },
    {
      title: 'a pool whose directory was deleted claims in a new one, or says what is wrong; it is never "in use"',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 1 })
        rmSync(dir, { recursive: true })
        const slot = await pool.tryClaim().catch((error: Error) => {
          assert.ok(error.message.includes(dir), `the error does not name ${dir}: ${error.message}`)
          return 'refused' as const
        })
        assert.ok(slot !== undefined, 'a slot of a deleted directory was reported in use')
        if (slot === 'refused') return
        await slot.verify()
        const other = await actor(dir, { slots: 1 })
        assert.equal(await other.tryClaim(), undefined, 'others do not see the claim')
      },
    },
    {
      title: 'a free slot whose file was deleted can be claimed by everybody, once',
      async check(context) {
        const dir = context.poolDir()
        const path = await onlySlotPath(context, dir)
        if (path === undefined) return
        const pool = await context.open(dir)
        const other = await context.actor(dir)
        for (let round = 0; round < 3; round++) {
          rmSync(path)
          const slot = await claimOne(pool)
          assert.equal(await other.tryClaim(), undefined)
          await slot.verify()
          await slot.release()
        }
      },
    },
    {
      title: 'a directory in the place of the slots’ directory is used as it is, a file is refused with its path',
      async check({ poolDir, open }) {
        const empty = poolDir()
        mkdirSync(empty, { mode: 0o700 })
        await claimOne(await open(empty, { slots: 1 }))
        const file = poolDir()
        writeFileSync(file, 'not a directory')
        await assert.rejects(open(file), (error: Error) => error.message.includes(file))
      },
    },
  ],
}

function lostWhen(what: string, { guarantees }: SlotBackend, damage: (path: string) => void): Claim {
  const title = `a slot is lost when ${what}: verify() says so, \`lost\` fires, and releasing it disturbs nobody`
  const check = async (context: Context): Promise<void> => {
    const dir = context.poolDir()
    const path = await onlySlotPath(context, dir)
    if (path === undefined) return
    const pool = await context.open(dir)
    const slot = await claimOne(pool)
    const fired: unknown[] = []
    slot.lost.addEventListener('abort', () => fired.push(slot.lost.reason))

    damage(path)
    const next = await context.actor(dir)
    if (guarantees.crashRelease === 'kernel') {
      assert.equal(await next.tryClaim(), 0, 'the slot cannot be claimed anew')
    }
    await assert.rejects(slot.verify(), hasCode('PROCREF_SLOT_LOST'))
    assert.equal(fired.length, 1, '`lost` has not fired')
    assert.ok(hasCode('PROCREF_SLOT_LOST')(fired[0]))
    await assert.rejects(slot.verify(), hasCode('PROCREF_SLOT_LOST'))
    assert.equal(fired.length, 1, '`lost` has fired twice')

    await slot.release()
    if (guarantees.crashRelease !== 'kernel') assert.equal(await next.tryClaim(), 0, 'the slot cannot be claimed anew')
    assert.equal(await next.verify(), undefined)
    assert.equal(await pool.tryClaim(), undefined, 'releasing the lost slot freed that of the next holder')
  }
  if (guarantees.crashRelease === 'kernel') return { title, check }
  const insteadOf = `the slot can be claimed anew before that (crashRelease is not kernel: the record may outlive the file)`
  return { title, check, insteadOf }
}
