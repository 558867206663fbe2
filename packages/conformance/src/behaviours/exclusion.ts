import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'

const RACERS = 4
const ROUNDS = 25

/** A slot has one holder at a time, inside a process and among processes. */
export const exclusion: Behaviour = {
  name: 'exclusion',
  claims: () => [
    {
      title: 'one pool hands out each slot once, and then none',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 3 })
        const slots = [await claimOne(pool), await claimOne(pool), await claimOne(pool)]
        assert.deepEqual(slots.map(({ id }) => id).sort(), [0, 1, 2])
        assert.equal(await pool.tryClaim(), undefined, 'a fourth slot of three')
      },
    },
    {
      title: 'simultaneous claims of one process get different slots',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 5 })
        const tries = await Promise.all(Array.from({ length: 10 }, () => pool.tryClaim()))
        const ids = tries.flatMap((slot) => slot?.id ?? [])
        assert.deepEqual(ids.sort(), [0, 1, 2, 3, 4])
      },
    },
    {
      title: 'a slot held by one process is refused to another, until it is released',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const ours = await open(dir, { slots: 1 })
        const slot = await claimOne(ours)
        const other = await actor(dir)
        assert.equal(await other.tryClaim(), undefined, 'the other process got our slot')
        await slot.release()
        assert.equal(await other.tryClaim(), 0, 'a released slot is refused')
        assert.equal(await ours.tryClaim(), undefined, 'we got the slot of the other process')
        await other.release()
        await claimOne(ours)
      },
    },
    {
      title: `of ${RACERS} processes that claim the only slot at once, exactly one gets it, each time`,
      async check({ poolDir, actor }) {
        const dir = poolDir()
        const first = await actor(dir, { slots: 1 })
        const racers = [first, ...(await Promise.all(Array.from({ length: RACERS - 1 }, () => actor(dir))))]
        for (let round = 0; round < ROUNDS; round++) {
          const got = await Promise.all(racers.map((racer) => racer.tryClaim()))
          const winners = racers.filter((_, at) => got[at] !== undefined)
          assert.equal(winners.length, 1, `in round ${round} ${winners.length} processes got the only slot`)
          await Promise.all(winners.map((winner) => winner.release()))
        }
      },
    },
  ],
}
