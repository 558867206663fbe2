import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, removeSemaphoresAfterwards, startProgram } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { describeHybrid } from './hybrid-here.ts'

/** Pids are reused where it disturbs nobody: in a namespace of its own, in which they can also be chosen. */
const OWN_PIDS = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const
const canUnshare = spawnSync(OWN_PIDS[0], [...OWN_PIDS.slice(1), 'true']).status === 0
if (!canUnshare) console.warn('NOT RUN: reused pids, because that takes Linux, unshare(1) and root')

/** Some five programs start one after the other, of which some may be given another pid, and start again. */
const STARTS_MS = 120_000

const describeReuse = canUnshare ? describeHybrid : describe.skip

describeReuse('a pid that was given out anew', () => {
  removeSemaphoresAfterwards()

  test('does not keep a dead holder alive, and its new process is not robbed of what it holds', {
    timeout: 3 * STARTS_MS,
  }, async () => {
    const [unshare, ...options] = OWN_PIDS
    const program = fileURLToPath(new URL('./children/reused-holder.mjs', import.meta.url))
    const child = atEnd(startProgram(unshare, { args: [...options, process.execPath, program, `${freshDir()}/slots`] }))
    expect(await child.event('stranger', STARTS_MS)).toMatchObject({ held: 0, claimed: 2, lives: true })
    const successor = await child.event<{ slots: unknown[] }>('successor', STARTS_MS)
    // Its predecessor's slot comes back to it, and there are two in all.
    expect(successor.slots.toSorted()).toEqual([0, 1, null])
    expect(successor).toMatchObject({ holders: [true, true], oneMore: null, lost: null })
    expect((await child.exited).code).toBe(0)
  })
})
