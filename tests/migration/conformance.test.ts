import { conformance } from '@procref/conformance'
import { migrating } from '@procref/core'
import { describe } from 'vitest'
import { PAIRS, PHASES } from './pairs.ts'

/** Every claim is made in two pools, or beside a second one. */
const STRESS_CLAIMS = 2_000

describe.each(PAIRS.map(({ name, ...pair }) => [name, pair] as const))('from %s', (_name, { from, to }) => {
  describe.each(PHASES)('phase %d', (phase) => {
    conformance({ factory: () => migrating({ from: from(), to: to(), phase }), stressClaims: STRESS_CLAIMS })
  })
})
