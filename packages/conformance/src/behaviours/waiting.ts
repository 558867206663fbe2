import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { eventually, mustBlock, within } from '../harness/index.ts'
import { aborted } from '../traits/aborted.ts'

/** Waiting for a slot, and for the last holder to leave. */
export const waiting: Behaviour = {
  name: 'waiting',
  claims: () => [
    {
      title: 'a claim waits while all slots are held, and gets the first one that is released',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const holder = await actor(dir, { slots: 2 })
        await holder.tryClaim()
        const second = await holder.tryClaim()
        const pool = await open(dir)
        const finishes = await mustBlock('a claim of a full pool', pool.claim({ timeoutMs: 600_000 }))
        await holder.release()
        const slot = await finishes()
        assert.equal(slot.id, second)
        await slot.verify()
      },
    },
    {
      title: 'several waiting claims get one slot each, as they come free',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const holds = await open(dir, { slots: 3 })
        const held = [await claimOne(holds), await claimOne(holds), await claimOne(holds)]
        const pool = await open(dir)
        const waits = [1, 2, 3].map(() => pool.claim({ timeoutMs: 600_000 }))
        const finishes = await mustBlock('three claims of a full pool', Promise.race(waits))
        for (const slot of held) await slot.release()
        await finishes()
        const slots = await within('all three claims are granted', Promise.all(waits))
        assert.deepEqual(slots.map(({ id }) => id).sort(), [0, 1, 2])
      },
    },
    ...aborted('whenEmpty()', async ({ open, poolDir }) => {
      const pool = await open(poolDir(), { slots: 1 })
      await claimOne(pool)
      return (signal) => pool.whenEmpty({ signal })
    }),
    {
      title: 'whenEmpty() resolves at once for an empty pool',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 2 })
        await within('whenEmpty() of an empty pool', pool.whenEmpty())
        const slot = await claimOne(pool)
        await slot.release()
        await within('whenEmpty() of a pool that is empty again', pool.whenEmpty())
      },
    },
    {
      title: 'whenEmpty() waits for the last of several holders, and resolves after it was killed',
      async check({ open, poolDir, actor, recovered }) {
        const dir = poolDir()
        const first = await actor(dir, { slots: 3 })
        const last = await actor(dir)
        await first.tryClaim()
        await last.tryClaim()
        const pool = await open(dir)
        let resolved = 0
        const empty = pool.whenEmpty().then(() => {
          resolved++
        })
        const finishes = await mustBlock('whenEmpty() of a held pool', empty)
        await first.release()
        last.kill('SIGKILL')
        await last.exited
        // It is only a hint to look, so it may come early; but it must come.
        await recovered('whenEmpty() resolves', () => resolved === 1)
        await finishes()
        await recovered('the pool is empty', () => pool.provenEmpty())
      },
    },
    {
      title: 'whenEmpty() resolves although nobody else does anything in this process',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const holder = await actor(dir, { slots: 1 })
        await holder.tryClaim()
        const pool = await open(dir)
        const empty = pool.whenEmpty()
        const finishes = await mustBlock('whenEmpty() of a held pool', empty)
        await holder.release()
        await finishes()
        await eventually('the pool is empty', () => pool.provenEmpty())
      },
    },
  ],
}
