import assert from 'node:assert/strict'
import type { SlotPool } from '@procref/core'
import type { Claim } from '../behaviour.ts'
import { hasCode } from './rejects.ts'

/** A method of a pool that was closed answers nothing: what it said would be about a pool that nobody watches any more. */
export function afterClose(name: string, call: (pool: SlotPool) => Promise<unknown>): Claim {
  return {
    title: `${name} rejects once the pool is closed`,
    async check({ open, poolDir }) {
      const pool = await open(poolDir(), { slots: 1 })
      await pool.close()
      await assert.rejects(call(pool), hasCode('PROCREF_POOL_CLOSED'))
    },
  }
}
