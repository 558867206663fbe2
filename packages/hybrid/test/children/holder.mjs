// A process that opens the pool it is told of, and does with it what it is told: `{ dir, slots, label, scanMs, step, stops, until }`.
import { existsSync } from 'node:fs'
import { hybrid } from '@procref/hybrid'
import { obey, say, sayFailed } from '@procref/testing/child'
import { failAt } from './fail-at.mjs'

const { dir, slots, label, scanMs = 20, step, stops, until } = JSON.parse(process.argv[2])

async function main() {
  const pool = await hybrid({ scanMs }).open(dir, { slots, label })
  const held = []
  obey({
    arm() {
      failAt(step, stops)
      say('armed')
    },
    async tryClaim() {
      const slot = await pool.tryClaim()
      if (slot !== undefined) held.push(slot)
      say('tryClaim', { slot: slot?.id ?? null })
    },
    async release() {
      await held.pop().release()
      say('release')
    },
    async verify() {
      const error = await held[0].verify().then(
        () => null,
        (error) => error.message,
      )
      say('verify', { error })
    },
    /** Nothing else runs in this process until the file is there. */
    busy() {
      say('busy')
      while (!existsSync(until));
      say('idle')
    },
    async close() {
      await pool.close()
      say('close')
    },
  })
  say('ready')
}

main().catch(sayFailed)
