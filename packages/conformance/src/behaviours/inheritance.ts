import assert from 'node:assert/strict'
import { locksAreInheritable } from '@procref/core'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { endProgram, startBy } from './programs.ts'

/** A child that is handed the slot's descriptor holds the slot, too: that is how a slot outlives the program that claimed it. */
export const inheritance: Behaviour = {
  name: 'inheritance',
  claims: ({ guarantees }) =>
    guarantees.inheritableByChild
      ? [
          {
            title:
              'a child that inherits the descriptor keeps the slot when the holder is killed, through exec, until it ends',
            async check(context) {
              const { poolDir, actor, open, recovered } = context
              const dir = poolDir()
              const holder = await actor(dir, { slots: 1 })
              await holder.tryClaim()
              const heir = await startBy(context, holder, 'startHeir')
              holder.kill('SIGKILL')
              await holder.exited
              const pool = await open(dir)
              assert.equal(await pool.tryClaim(), undefined, 'the slot is free although the child lives')
              assert.equal(await pool.count(), 1)
              assert.equal(await pool.provenEmpty(), false)
              endProgram(heir)
              await recovered('the slot is free after the end of the child', () => pool.tryClaim())
            },
          },
          {
            title: 'a child that inherits the descriptor keeps the slot when the holder releases it',
            async check(context) {
              const { poolDir, actor, open, recovered } = context
              const dir = poolDir()
              const holder = await actor(dir, { slots: 1 })
              await holder.tryClaim()
              const heir = await startBy(context, holder, 'startHeir')
              await holder.release()
              const pool = await open(dir)
              assert.equal(await pool.tryClaim(), undefined, 'the release took the slot from the child as well')
              endProgram(heir)
              await recovered('the slot is free after the end of the child', () => pool.tryClaim())
            },
          },
        ]
      : [
          {
            title:
              'a slot has no descriptor to hand on, and a control lock has one only where a child can keep it by that',
            insteadOf: 'a child that inherits the descriptor keeps the slot (inheritableByChild is false)',
            async check({ backend, open, poolDir, freshDir, atEnd }) {
              const pool = await open(poolDir(), { slots: 1 })
              assert.equal((await claimOne(pool)).fd, undefined)
              const lock = backend.locks.tryLock(`${freshDir()}/control.lock`)
              atEnd(() => lock?.release())
              assert.equal(lock?.fd !== undefined, locksAreInheritable(guarantees))
            },
          },
        ],
}
