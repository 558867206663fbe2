import { conformance } from '@procref/conformance'
import { type MigrationPhase, migrating } from '@procref/core'
import { removeSetsAfterwards, shareOf } from '@procref/testing'
import { describe } from 'vitest'
import { describeMigration, PAIRS } from './pairs.ts'

/** Every claim is made in two pools, or beside a second one. */
const STRESS_CLAIMS = 2_000

/** Phase 3 is the new backend, and in phase 2 it makes the claims: once each is enough. */
const CASES = PAIRS.flatMap((pair, n) =>
  ([1, 2, 3] as const).slice(0, 3 - n).map((phase): [string, MigrationPhase, typeof pair] => [pair.name, phase, pair]),
)

describeMigration('migrating()', () => {
  removeSetsAfterwards()

  // In CI each phase once.
  describe.each(shareOf(CASES, 0, [0, 1]))('from %s, phase %d', (_name, phase, { from, to }) => {
    conformance({ factory: () => migrating({ from: from(), to: to(), phase }), stressClaims: STRESS_CLAIMS })
  })
})
