import assert from 'node:assert/strict'
import type { SlotPool } from '@procref/core'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'

const PROBER = new URL('../children/prober.js', import.meta.url)
const PROBERS = 4
/** Each of the stress behaviour's claims stands for so many here. */
const CLAIMS_SHARE = 0.2
/** So often the claims wait until every prober has looked again: else they may all be made while none of them has a processor. */
const ROUNDS = 20
/** One turn of a prober is dozens of looks, of which each may take a backend milliseconds, beside three other probers. */
const TURN_MS = 120_000
/** A claimer may be told that probers kept it from deciding, but not for ever. */
const TRIES_PER_CLAIM = 20

/** Looking at the slots tells the truth and is in nobody's way. */
export const probing: Behaviour = {
  name: 'probing',
  claims: () => [
    {
      title: 'held() lists who holds which slot, sorted; count() is their number',
      async check({ poolDir, actor, open }) {
        const dir = poolDir()
        const others = [await actor(dir, { slots: 5, label: 'first' }), await actor(dir, { label: 'second' })]
        const pool = await open(dir, { label: 'myself' })
        assert.deepEqual(await pool.held(), [])
        assert.equal(await pool.count(), 0)
        const expected = [{ slot: (await claimOne(pool)).id, pid: process.pid, label: 'myself' }]
        for (const [n, other] of others.entries()) {
          const slot = await other.tryClaim()
          assert.ok(slot !== undefined)
          expected.push({ slot, pid: other.pid, label: n === 0 ? 'first' : 'second' })
        }
        for (const look of [() => pool.held(), ...others.map((other) => () => other.held())]) {
          const seen = (await look()).map(({ slot, pid, label }) => ({ slot, pid, label }))
          assert.deepEqual(
            seen,
            expected.toSorted((a, b) => a.slot - b.slot),
          )
        }
        assert.deepEqual([await pool.count(), await others[0]?.count(), await others[1]?.count()], [3, 3, 3])
        assert.equal(await pool.provenEmpty(), false)
      },
    },
    {
      title: 'what was released is not listed any more, and a new holder is not taken for the old one',
      async check({ poolDir, actor, open }) {
        const dir = poolDir()
        const first = await actor(dir, { slots: 1, label: 'a label that is a good deal longer than the next' })
        const second = await actor(dir, { label: 'short' })
        const pool = await open(dir)
        await first.tryClaim()
        assert.equal((await pool.held())[0]?.pid, first.pid)
        await first.release()
        assert.deepEqual(await pool.held(), [])
        assert.equal(await pool.provenEmpty(), true)
        await second.tryClaim()
        assert.deepEqual(
          (await pool.held()).map(({ slot, pid, label }) => ({ slot, pid, label })),
          [{ slot: 0, pid: second.pid, label: 'short' }],
        )
      },
    },
    {
      title: `a free slot is never reported in use, although ${PROBERS} processes do nothing but look at it`,
      async check({ poolDir, actor, open, note, stressClaims }) {
        const dir = poolDir()
        const claims = Math.ceil((stressClaims * CLAIMS_SHARE) / ROUNDS)
        const pool = await open(dir, { slots: 1 })
        const probers = await Promise.all(Array.from({ length: PROBERS }, () => actor(dir, { script: PROBER })))
        for (const prober of probers) prober.send('go')
        let probed = 0
        for (let round = 0; round < ROUNDS; round++) {
          for (const prober of probers) prober.send('ask')
          await Promise.all(probers.map((prober) => prober.event('looked', TURN_MS)))
          for (let n = 0; n < claims; n++) probed += await claimAmongProbers(pool)
        }
        for (const prober of probers) prober.send('stop')
        await Promise.all(probers.map((prober) => prober.event('stopped', TURN_MS)))
        if (probed > 0)
          note(`${probed} of ${ROUNDS * claims + probed} tries ended with PROCREF_SLOT_PROBED and were repeated`)
      },
    },
  ],
}

/** Claims and releases the only slot; returns how often it was told (honestly) that probers kept it away. */
async function claimAmongProbers(pool: SlotPool): Promise<number> {
  for (let refused = 0; refused < TRIES_PER_CLAIM; refused++) {
    try {
      const slot = await pool.tryClaim()
      assert.ok(slot !== undefined, 'the free slot was reported in use')
      await slot.release()
      return refused
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'PROCREF_SLOT_PROBED')) throw error
    }
  }
  throw new Error(`probers alone kept a claimer from a free slot ${TRIES_PER_CLAIM} times in a row`)
}
