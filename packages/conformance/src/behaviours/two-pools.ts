import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'

/**
 * Two parts of a program (two copies of a library, say) that know nothing of each other open the same directory. With locks
 * that belong to the process instead of the descriptor, the second gets the first one's slots, or frees them by closing.
 */
export const twoPools: Behaviour = {
  name: 'two-pools',
  claims: () => [
    {
      title: 'two pools of one directory in one process exclude each other',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const one = await open(dir, { slots: 2 })
        const two = await open(dir, { slots: 2 })
        const slots = [await claimOne(one), await claimOne(two)]
        assert.notEqual(slots[0]?.id, slots[1]?.id)
        assert.equal(await one.tryClaim(), undefined, 'a third slot of two')
        assert.equal(await two.tryClaim(), undefined, 'a third slot of two')
      },
    },
    {
      title: 'looking at the slots, releasing or closing in one pool frees no slot of the other',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const keeps = await open(dir, { slots: 3 })
        const slot = await claimOne(keeps)
        const comesAndGoes = await open(dir)
        await (await claimOne(comesAndGoes)).release()
        await claimOne(comesAndGoes)
        await comesAndGoes.held()
        await comesAndGoes.count()
        assert.equal(await comesAndGoes.provenEmpty(), false)
        await comesAndGoes.close()

        const outside = await actor(dir)
        assert.deepEqual(
          (await outside.held()).map((holder) => holder.slot),
          [slot.id],
        )
        await slot.verify()
      },
    },
    {
      title: 'pools of two directories have nothing to do with each other',
      async check({ open, freshDir }) {
        const parent = freshDir()
        const one = await open(join(parent, 'one'), { slots: 1 })
        const two = await open(join(parent, 'two'), { slots: 1 })
        await claimOne(one)
        await claimOne(two)
        assert.equal(await one.count(), 1)
        assert.equal(await two.count(), 1)
      },
    },
  ],
}
