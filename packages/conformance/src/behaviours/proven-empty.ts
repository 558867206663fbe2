import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import type { Behaviour, Claim } from '../behaviour.ts'
import { claimOne } from '../context.ts'

/** "Nobody is left" is said only when it is certain: a server is stopped because of it. */
export const provenEmpty: Behaviour = {
  name: 'proven-empty',
  claims: ({ guarantees }) => [
    {
      title: 'provenEmpty() is true exactly while nobody holds a slot: neither others nor this pool itself',
      async check({ poolDir, actor, open }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 40 })
        assert.equal(await pool.provenEmpty(), true)
        const other = await actor(dir)
        await other.tryClaim()
        assert.equal(await pool.provenEmpty(), false)
        assert.equal(await other.provenEmpty(), false)
        await other.release()
        assert.equal(await pool.provenEmpty(), true)
        const slot = await claimOne(pool)
        assert.equal(await pool.provenEmpty(), false)
        await slot.release()
        assert.equal(await pool.provenEmpty(), true)
      },
    },
    ...(guarantees.crashRelease === 'kernel' ? DELETED_HOLDERS_COUNT : DELETED_HOLDERS_ARE_TOLD),
  ],
}

/** Locks are on files, not on paths: deleting the path hides the lock from nobody who has looked before. */
const DELETED_HOLDERS_COUNT: readonly Claim[] = [
  {
    title: 'a holder whose slot file was deleted still counts, for a pool that has seen it',
    async check({ poolDir, actor, open, note, recovered }) {
      const dir = poolDir()
      const holder = await actor(dir, { slots: 3 })
      await holder.tryClaim()
      const pool = await open(dir)
      const [seen] = await pool.held()
      if (seen?.path === undefined) return note('slots have no files that could be deleted')
      rmSync(seen.path)
      assert.equal(await pool.provenEmpty(), false, 'a holder was forgotten with its file')
      assert.equal(await pool.count(), 1)
      holder.kill('SIGKILL')
      await holder.exited
      await recovered('the pool is empty', () => pool.provenEmpty())
    },
  },
  {
    title: 'holders still count after the whole directory was deleted, and made anew by others',
    async check({ poolDir, actor, open, recovered }) {
      const dir = poolDir()
      const old = await actor(dir, { slots: 3 })
      await old.tryClaim()
      const pool = await open(dir)
      assert.equal(await pool.count(), 1)
      rmSync(dir, { recursive: true })
      assert.equal(await pool.provenEmpty(), false, 'a holder was forgotten with its directory')
      const anew = await actor(dir, { slots: 3 })
      assert.equal(await pool.provenEmpty(), false, 'a holder was forgotten when its directory was made anew')
      await anew.tryClaim()
      old.kill('SIGKILL')
      await old.exited
      assert.equal(await pool.provenEmpty(), false, 'a holder in the new directory does not count')
      anew.kill('SIGKILL')
      await anew.exited
      await recovered('the pool is empty', () => pool.provenEmpty())
    },
  },
]

const DELETED_HOLDERS_ARE_TOLD: readonly Claim[] = [
  {
    title: 'a holder whose directory was deleted, records and all, is told that its slot is lost',
    insteadOf:
      'a holder whose file or directory was deleted still counts (crashRelease is not kernel: records are all there is)',
    async check({ poolDir, actor, recovered }) {
      const dir = poolDir()
      const holder = await actor(dir, { slots: 3 })
      await holder.tryClaim()
      rmSync(dir, { recursive: true })
      await recovered('the holder knows', async () => (await holder.verify()) === 'PROCREF_SLOT_LOST')
    },
  },
]
