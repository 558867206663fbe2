import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'

const PROGRAM = new URL('../children/many-rounds.js', import.meta.url)

/** A hundred rounds of all that there is: a backend that starts a program for each lock needs seconds for them on a quiet machine. */
const ROUNDS_MS = 300_000

/** A program that uses slots for weeks must not run out of descriptors. */
export const openFiles: Behaviour = {
  name: 'open-files',
  claims: () => [
    {
      title: 'claims, refusals, looks and failures leave no descriptor open, and neither does a closed pool',
      async check({ poolDir, actor, note }) {
        if (process.platform === 'win32') return note('open files cannot be counted on this platform')
        const dir = poolDir()
        const other = await actor(dir, { slots: 3 })
        await other.tryClaim()
        const program = await actor(dir, { script: PROGRAM })
        program.send('go')
        const { before, after, closed } = await program.event<Record<'before' | 'after' | 'closed', number>>(
          'counted',
          ROUNDS_MS,
        )
        // The first round may open what stays; the next hundred may not: who leaves one open in each has a hundred more. Fewer are no leak.
        assert.ok(
          after <= before,
          `${after - before} descriptors were left open by a hundred rounds of claims and looks`,
        )
        assert.ok(closed <= before, 'closing the pool left more open than there was')
      },
    },
  ],
}
