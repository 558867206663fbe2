import { join } from 'node:path'
import { freshDir, HANGS_MS, removeSemaphoresAfterwards } from '@procref/testing'
import { expect, test } from 'vitest'
import { fire } from './fire.ts'
import { describeHybrid } from './hybrid-here.ts'
import { expectAllPermits } from './settled.ts'

// The whole is `pnpm soak` (five minutes, tests/soak/results/hybrid.json); this is a sample.

const FOR_MS = 20_000
/** On a busy machine less happens in that time. */
const AT_MOST_MS = 90_000
const AT_LEAST_ONCE = ['kills', 'watchdogKills', 'diedAtStep', 'stoppedAtStep', 'killedWithSlot'] as const
const MANY_CLAIMS = 100

describeHybrid('hybrid() under fire', () => {
  removeSemaphoresAfterwards()

  test('20 processes killed everywhere, the watchdog too: never two holders of a slot, and in the end every permit', {
    timeout: AT_MOST_MS + 2 * HANGS_MS,
  }, async () => {
    const dir = freshDir()
    const result = await fire({
      dir,
      forMs: FOR_MS,
      isEnough: (counts) =>
        AT_LEAST_ONCE.every((what) => counts[what] > 0) && counts.claims > MANY_CLAIMS && counts.generations > 1,
      atMostMs: AT_MOST_MS,
    })
    console.log(`under fire: ${JSON.stringify(result)}`)
    expect(result.overlaps).toEqual([])
    expect(result.claims).toBeGreaterThan(MANY_CLAIMS)
    for (const what of AT_LEAST_ONCE) expect(result[what], what).toBeGreaterThan(0)
    expect(result.generations).toBeGreaterThan(1)
    await expectAllPermits(join(dir, 'slots'))
  })
})
