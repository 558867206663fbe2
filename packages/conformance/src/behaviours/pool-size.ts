import assert from 'node:assert/strict'
import type { SlotPool } from '@procref/core'
import type { Behaviour, Claim } from '../behaviour.ts'
import { claimOne } from '../context.ts'

/** A pool has as many slots as its maker said, for everybody and for ever. */
export const poolSize: Behaviour = {
  name: 'pool-size',
  claims: () => [
    allOf(1),
    allOf(100),
    allOf(1000),
    {
      title: 'a pool of which nobody said the size has 100 slots; who does not say it later gets what is there',
      async check({ open, poolDir, actor }) {
        assert.equal((await open(poolDir())).size, 100)
        const dir = poolDir()
        assert.equal((await open(dir, { slots: 2 })).size, 2)
        assert.equal((await open(dir)).size, 2)
        const other = await actor(dir)
        assert.deepEqual([await other.tryClaim(), await other.tryClaim()].toSorted(), [0, 1])
        assert.equal(await other.tryClaim(), undefined)
      },
    },
    {
      title: 'another size is refused with both numbers, and the pool goes on as it is',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 7 })
        for (const slots of [6, 8]) {
          await assert.rejects(open(dir, { slots }), (error: Error & { code?: string }) => {
            assert.equal(error.code, 'PROCREF_POOL_SIZE_MISMATCH')
            assert.match(error.message, /\b7\b/)
            assert.match(error.message, new RegExp(`\\b${slots}\\b`))
            return true
          })
        }
        assert.equal((await open(dir, { slots: 7 })).size, 7)
        await claimOne(pool)
      },
    },
    {
      title: 'a size that is none is a TypeError',
      async check({ open, poolDir }) {
        for (const slots of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          await assert.rejects(open(poolDir(), { slots }), TypeError, `slots: ${slots}`)
        }
      },
    },
    {
      title: 'of processes that make one pool at once with different sizes, all that succeed agree',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const makers = await Promise.allSettled([2, 3, 2, 3].map((slots) => actor(dir, { slots })))
        const { size } = await open(dir)
        const succeeded = makers.filter(({ status }) => status === 'fulfilled')
        assert.equal(succeeded.length, 2, 'each size has two makers, and one size is right')
        for (const [n, maker] of makers.entries()) {
          assert.equal(maker.status === 'fulfilled', (n % 2 === 0 ? 2 : 3) === size)
          if (maker.status === 'rejected') assert.match(String(maker.reason), /PROCREF_POOL_SIZE_MISMATCH/)
        }
      },
    },
  ],
}

function allOf(size: number): Claim {
  return {
    title: `all of ${size} slots can be held at once, not one more, and all come back`,
    async check({ open, poolDir }) {
      const pool: SlotPool = await open(poolDir(), { slots: size })
      assert.equal(pool.size, size)
      const slots = []
      for (let n = 0; n < size; n++) {
        slots.push(await claimOne(pool))
        // Claims may do all in microtasks, which keep timers waiting: those of a backend whose holders have to show that they live.
        if (n % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      assert.deepEqual(
        slots.map(({ id }) => id).toSorted((a, b) => a - b),
        Array.from({ length: size }, (_, id) => id),
      )
      assert.equal(await pool.tryClaim(), undefined, `a slot more than ${size}`)
      assert.equal(await pool.count(), size)
      assert.equal((await pool.held()).length, size)
      for (const slot of slots) await slot.release()
      assert.equal(await pool.count(), 0)
      assert.equal(await pool.provenEmpty(), true)
    },
  }
}
