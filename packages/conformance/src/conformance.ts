import type { SlotBackend } from '@procref/core'
import { afterAll, describe, expect, test } from 'vitest'
import { behaviours } from './behaviours/index.ts'
import { checkClaim, STRESS_CLAIMS } from './check.ts'

/** The slowest claim makes thousands of claims in eight processes; the others finish in seconds. Reaching it means "hangs". */
const HANGS_MS = 600_000

export interface ConformanceOptions {
  /** Makes the backend, from scratch. Called once in this process; others rebuild it from its `descriptor`. */
  readonly factory: () => SlotBackend
  /** How many claims the stress behaviour makes in total, for backends that take long for each. Default 20,000. */
  readonly stressClaims?: number
}

/**
 * Registers the whole suite with vitest: a `describe` for the backend, one for each behaviour in it, a `test` for each claim.
 *
 * Guarantee: what `backend.guarantees` promises is checked in full; for what it does not promise, the weaker check that still
 * holds runs instead and is listed in the output, as is everything that could not be checked on this machine. A last test fails
 * unless every behaviour ran.
 * Caller: `backend.descriptor` must name a JavaScript module that plain Node can import, in another process and in another
 * working directory.
 */
export function conformance({ factory, stressClaims = STRESS_CLAIMS }: ConformanceOptions): void {
  const backend = factory()
  describe(`${backend.name} does what every backend does`, () => {
    const started = new Set<string>()
    const remarks: string[] = []
    for (const behaviour of behaviours) {
      describe(behaviour.name, () => {
        const claims = behaviour.claims(backend)
        if (claims.length === 0) throw new Error(`the behaviour ${behaviour.name} checks nothing of ${backend.name}`)
        for (const claim of claims) {
          const onNote = (note: string): unknown => remarks.push(`${behaviour.name}: ${note}`)
          if (claim.insteadOf !== undefined) onNote(`not promised: ${claim.insteadOf}; checked instead: ${claim.title}`)
          test(claim.title, { timeout: HANGS_MS }, async () => {
            started.add(behaviour.name)
            await checkClaim(backend, behaviour, claim, {
              stressClaims,
              onNote: (_behaviour, _claim, note) => onNote(note),
            })
          })
        }
      })
    }
    test(`all ${behaviours.length} behaviours were checked`, () => {
      expect([...started]).toEqual(behaviours.map(({ name }) => name))
    })
    afterAll(() => {
      if (stressClaims < STRESS_CLAIMS) remarks.push(`stress: ${stressClaims} claims instead of ${STRESS_CLAIMS}`)
      const list = [...new Set(remarks)].map((remark) => `\n  ${remark}`).join('')
      console.log(`${backend.name}: ${behaviours.length} behaviours; notes:${list || ' none'}`)
    })
  })
}
