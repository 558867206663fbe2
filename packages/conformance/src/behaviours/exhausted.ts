import assert from 'node:assert/strict'
import type { SlotInfo } from '@procref/core'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'

/** Whoever finds the pool full is told who is in it: nothing else helps him. */
export const exhausted: Behaviour = {
  name: 'exhausted',
  claims: () => [
    {
      title: 'the error of a full pool says how many slots there are and names each holder by pid and label',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        const editor = await actor(dir, { slots: 2, label: 'an editor' })
        const tests = await actor(dir, { label: 'a test run' })
        const slots = [await editor.tryClaim(), await tests.tryClaim()]
        const pool = await open(dir)
        const error: unknown = await pool.claim().then(
          () => assert.fail('a third slot of two'),
          (reason: unknown) => reason,
        )
        assert.ok(error instanceof Error && 'code' in error && 'holders' in error)
        assert.equal(error.code, 'PROCREF_SLOTS_EXHAUSTED')
        assert.match(error.message, /All 2 slots are in use/)
        for (const text of [String(editor.pid), 'an editor', String(tests.pid), 'a test run']) {
          assert.ok(error.message.includes(text), `the message does not contain '${text}': ${error.message}`)
        }
        const holders = error.holders as readonly SlotInfo[]
        assert.deepEqual(
          holders.map(({ slot, pid, label }) => ({ slot, pid, label })),
          [
            { slot: slots[0], pid: editor.pid, label: 'an editor' },
            { slot: slots[1], pid: tests.pid, label: 'a test run' },
          ].toSorted((a, b) => Number(a.slot) - Number(b.slot)),
        )
      },
    },
    {
      title: 'a full pool of one slot is full for its own holder as well',
      async check({ open, poolDir }) {
        const pool = await open(poolDir(), { slots: 1, label: 'myself' })
        await claimOne(pool)
        await assert.rejects(pool.claim(), (error: Error) => error.message.includes(`pid ${process.pid}`))
      },
    },
  ],
}
