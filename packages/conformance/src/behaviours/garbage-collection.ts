import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'

const PROGRAM = new URL('../children/forgets.js', import.meta.url)

/** A slot lives until it is released or its process ends: a program that forgets its objects has not released anything. */
export const garbageCollection: Behaviour = {
  name: 'garbage-collection',
  claims: () => [
    {
      title: 'a slot whose objects nobody refers to any more is still held',
      async check({ actor, poolDir, open }) {
        const dir = poolDir()
        const program = await actor(dir, { slots: 3, script: PROGRAM, child: { execArgv: ['--expose-gc'] } })
        await program.event('collected')
        const pool = await open(dir)
        assert.equal(await pool.count(), 2, 'the garbage collector released a slot')
        assert.equal(await pool.provenEmpty(), false)
      },
    },
  ],
}
