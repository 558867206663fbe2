import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { within } from '../harness/index.ts'
import { aborted } from '../traits/aborted.ts'
import { hasCode } from '../traits/rejects.ts'

/** So many claims are aborted at all kinds of moments. */
const ABORTED_CLAIMS = 200

/** A wait can be limited and called off, and whoever called it off holds nothing. */
export const cancellation: Behaviour = {
  name: 'cancellation',
  claims: () => [
    ...aborted('claim()', async ({ open, poolDir }) => {
      const pool = await open(poolDir(), { slots: 1 })
      await claimOne(pool)
      return (signal) => pool.claim({ signal, timeoutMs: 600_000 })
    }),
    {
      title: 'a claim that was aborted before takes no slot, although one is free',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1 })
        await assert.rejects(pool.claim({ signal: AbortSignal.abort(new Error('before')) }), /before/)
        assert.equal(await pool.count(), 0)
        await claimOne(pool)
      },
    },
    {
      title: `of ${ABORTED_CLAIMS} claims aborted at all kinds of moments, none leaves a slot claimed`,
      async check({ open, poolDir }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 2 })
        const passing = await open(dir)
        for (let n = 0; n < ABORTED_CLAIMS; n++) {
          // The pool is full in some rounds and becomes free while the claim waits in others.
          const others = n % 3 === 0 ? [] : [await claimOne(passing), await claimOne(passing)]
          const controller = new AbortController()
          const claim = pool.claim({ signal: controller.signal, timeoutMs: 600_000 }).catch((error: unknown) => {
            assert.equal(error, controller.signal.reason)
          })
          for (let turn = 0; turn < n % 7; turn++) await new Promise((resolve) => setImmediate(resolve))
          const released = others.map((slot) => slot.release())
          controller.abort(new Error('called off'))
          await Promise.all(released)
          const slot = await within('an aborted claim settles', claim)
          await slot?.release()
          assert.equal(await passing.count(), 0, `round ${n}: nobody knows of a slot that is held`)
        }
      },
    },
    {
      title: 'aborting after the claim was granted changes nothing',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1 })
        const controller = new AbortController()
        const slot = await pool.claim({ signal: controller.signal })
        controller.abort()
        await slot.verify()
        assert.equal(slot.lost.aborted, false)
        assert.equal(await pool.count(), 1)
      },
    },
    {
      title: 'a claim without timeoutMs does not wait, one with it waits no longer',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1 })
        await claimOne(pool)
        for (const options of [undefined, {}, { timeoutMs: 0 }, { timeoutMs: 30 }]) {
          const claim = pool.claim(options)
          await within(
            `claim(${JSON.stringify(options)}) gives up`,
            assert.rejects(claim, hasCode('PROCREF_SLOTS_EXHAUSTED')),
          )
        }
        assert.equal(await pool.count(), 1)
      },
    },
    {
      title: 'timeoutMs that is no time is a TypeError',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1 })
        await assert.rejects(pool.claim({ timeoutMs: -1 }), TypeError)
        await assert.rejects(pool.claim({ timeoutMs: Number.NaN }), TypeError)
      },
    },
  ],
}
