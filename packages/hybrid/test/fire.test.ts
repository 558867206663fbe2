import { join } from 'node:path'
import { freshDir, removeSemaphoresAfterwards } from '@procref/testing'
import { expect, test } from 'vitest'
import { fire } from './fire.ts'
import { describeHybrid } from './hybrid-here.ts'
import { expectAllPermits } from './settled.ts'

// The whole is `pnpm soak` (five minutes, tests/soak/results/hybrid.json); this is a sample.

describeHybrid('hybrid() under fire', () => {
  removeSemaphoresAfterwards()

  test('20 processes killed everywhere, the watchdog too: never two holders of a slot, and in the end every permit', async () => {
    const dir = freshDir()
    const result = await fire({ dir, forMs: 20_000 })
    console.log(`under fire: ${JSON.stringify(result)}`)
    expect(result.overlaps).toEqual([])
    expect(result.claims).toBeGreaterThan(100)
    for (const what of ['kills', 'watchdogKills', 'diedAtStep', 'stoppedAtStep', 'killedWithSlot'] as const) {
      expect(result[what], what).toBeGreaterThan(0)
    }
    expect(result.generations).toBeGreaterThan(1)
    await expectAllPermits(join(dir, 'slots'))
  })
})
