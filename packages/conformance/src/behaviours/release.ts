import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { disposedTwice } from '../traits/disposed-twice.ts'
import { hasCode } from '../traits/rejects.ts'

/** `release()` gives back this slot, once, and never another one. */
export const release: Behaviour = {
  name: 'release',
  claims: () => [
    disposedTwice('slot.release()', async ({ open, poolDir }) => {
      const slot = await claimOne(await open(poolDir(), { slots: 1 }))
      return () => slot.release()
    }),
    disposedTwice('disposing a slot', async ({ open, poolDir }) => {
      const slot = await claimOne(await open(poolDir(), { slots: 1 }))
      return () => slot[Symbol.asyncDispose]()
    }),
    {
      title: 'a second release does not take the slot from its next holder',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 1 })
        const first = await claimOne(pool)
        await first.release()
        // Descriptors are reused: the next slot has the number of the one that was closed.
        const second = await claimOne(pool)
        await first.release()
        await first[Symbol.asyncDispose]()
        await second.verify()
        const other = await actor(dir)
        assert.equal(await other.tryClaim(), undefined, 'the second release of the first holder freed the slot')
      },
    },
    {
      title: 'a released slot verifies no more, and the next holder’s does',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1 })
        const first = await claimOne(pool)
        await first.verify()
        await first.release()
        const second = await claimOne(pool)
        await assert.rejects(first.verify(), hasCode('PROCREF_SLOT_LOST'))
        await second.verify()
        assert.equal(second.lost.aborted, false)
      },
    },
    {
      title: 'slots can be released in any order, and claimed again',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 4 })
        const slots = [await claimOne(pool), await claimOne(pool), await claimOne(pool), await claimOne(pool)]
        await Promise.all([slots[2]?.release(), slots[0]?.release()])
        assert.equal(await pool.count(), 2)
        const again = [await claimOne(pool), await claimOne(pool)].map(({ id }) => id)
        assert.deepEqual(again.sort(), [slots[0]?.id, slots[2]?.id].sort())
        assert.equal(await pool.tryClaim(), undefined)
      },
    },
  ],
}
