import type { SlotBackend } from '@procref/core'
import type { Behaviour, Claim } from './behaviour.ts'
import { behaviours as allBehaviours } from './behaviours/index.ts'
import { withContext } from './context.ts'

export const STRESS_CLAIMS = 20_000

export interface CheckOptions {
  /** Default: all. */
  readonly behaviours?: readonly Behaviour[]
  readonly stressClaims?: number
  /** Default: `end`, so that all failures are found. */
  readonly stopAt?: 'first-failure' | 'end'
  /** Told what could not be checked, or was checked more weakly, and why. */
  readonly onNote?: (behaviour: Behaviour, claim: Claim, note: string) => void
}

/** A claim that is not true of the backend. */
export interface Failure {
  readonly behaviour: string
  readonly claim: string
  readonly error: unknown
}

/** Checks one claim; rejects when it is not true. */
export function checkClaim(
  backend: SlotBackend,
  behaviour: Behaviour,
  claim: Claim,
  options: CheckOptions,
): Promise<void> {
  const parts = {
    backend,
    stressClaims: options.stressClaims ?? STRESS_CLAIMS,
    note: (note: string) => options.onNote?.(behaviour, claim, note),
  }
  return withContext(parts, (context) => claim.check(context))
}

/**
 * Checks a backend without a test runner, one claim after the other, and returns what is not true of it. For scripts, and for
 * the suite's own tests; `conformance()` is the same for vitest.
 */
export async function findFailures(backend: SlotBackend, options: CheckOptions = {}): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (const behaviour of options.behaviours ?? allBehaviours) {
    for (const claim of behaviour.claims(backend)) {
      try {
        await checkClaim(backend, behaviour, claim, options)
      } catch (error) {
        failures.push({ behaviour: behaviour.name, claim: claim.title, error })
        if (options.stopAt === 'first-failure') return failures
      }
    }
  }
  return failures
}
