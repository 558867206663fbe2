import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { mustBlock, within } from '../harness/index.ts'
import { afterClose } from '../traits/after-close.ts'
import { disposedTwice } from '../traits/disposed-twice.ts'
import { hasCode } from '../traits/rejects.ts'

const IDLE = new URL('../children/close-and-idle.js', import.meta.url)

/** Closing a pool gives back what it holds and ends what waits for it. */
export const close: Behaviour = {
  name: 'close',
  claims: () => [
    afterClose('tryClaim()', (pool) => pool.tryClaim()),
    afterClose('claim()', (pool) => pool.claim()),
    afterClose('held()', (pool) => pool.held()),
    afterClose('count()', (pool) => pool.count()),
    afterClose('provenEmpty()', (pool) => pool.provenEmpty()),
    afterClose('whenEmpty()', (pool) => pool.whenEmpty()),
    disposedTwice('pool.close()', async ({ open, poolDir }) => {
      const pool = await open(poolDir(), { slots: 2 })
      await claimOne(pool)
      return () => pool.close()
    }),
    disposedTwice('disposing a pool', async ({ open, poolDir }) => {
      const pool = await open(poolDir(), { slots: 2 })
      await claimOne(pool)
      return () => pool[Symbol.asyncDispose]()
    }),
    {
      title: 'close() releases the slots of this pool, which then verify no more',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const closes = await open(dir, { slots: 3 })
        const stays = await open(dir)
        const slots = [await claimOne(closes), await claimOne(closes)]
        const kept = await claimOne(stays)
        await closes.close()
        assert.deepEqual(
          (await stays.held()).map(({ slot }) => slot),
          [kept.id],
        )
        for (const slot of slots) {
          await assert.rejects(slot.verify(), hasCode('PROCREF_SLOT_LOST'))
          await slot.release()
        }
        await kept.verify()
      },
    },
    {
      title: 'close() ends a claim that waits, and leaves no slot claimed',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const holds = await open(dir, { slots: 1 })
        const slot = await claimOne(holds)
        const closes = await open(dir)
        const claim = closes.claim({ timeoutMs: 600_000 })
        claim.catch(() => {})
        const finishes = await mustBlock('a claim of a full pool', claim)
        await closes.close()
        await assert.rejects(finishes(), hasCode('PROCREF_POOL_CLOSED'))
        await slot.release()
        assert.equal(await holds.count(), 0)
      },
    },
    {
      title: 'close() ends a wait for the pool to become empty',
      async check({ open, poolDir }) {
        const dir = poolDir()
        await claimOne(await open(dir, { slots: 1 }))
        const closes = await open(dir)
        const empty = closes.whenEmpty()
        empty.catch(() => {})
        const finishes = await mustBlock('whenEmpty() of a held pool', empty)
        await closes.close()
        await assert.rejects(finishes(), hasCode('PROCREF_POOL_CLOSED'))
      },
    },
    {
      title: 'a program whose pools are closed ends by itself',
      async check({ actor, poolDir }) {
        const program = await actor(poolDir(), { slots: 2, script: IDLE })
        await program.event('closed')
        assert.deepEqual(await within('the program ends', program.exited), { code: 0, signal: null })
      },
    },
  ],
}
