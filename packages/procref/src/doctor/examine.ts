import type { Layout } from '@procref/lifecycle'
import { type Check, type Finding, type Severity, worst } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { isUsable, lookAround, type Surroundings } from './look-around.ts'
import { messageOf } from './message.ts'

export interface CheckResult {
  readonly check: Check
  readonly severity: Severity
  readonly found: string
  readonly findings: readonly Finding[]
}

export interface Diagnosis {
  readonly seen: Surroundings
  readonly results: readonly CheckResult[]
  /** Those that need a directory that is there and can be used. */
  readonly notLookedAt: readonly Check[]
}

/** Takes every look once. Changes nothing. */
export async function examine(
  paths: Layout,
  askedBackend: string | undefined,
  checks: readonly Check[] = CHECKS,
): Promise<Diagnosis> {
  const seen = await lookAround(paths, askedBackend)
  const possible = (check: Check): boolean => check.where === 'anywhere' || isUsable(seen.root)
  const results: CheckResult[] = []
  // One after the other: some look twice to be sure, and must not be disturbed by each other's probes.
  for (const check of checks.filter(possible)) results.push(await run(check, seen))
  return { seen, results, notLookedAt: checks.filter((check) => !possible(check)) }
}

async function run(check: Check, seen: Surroundings): Promise<CheckResult> {
  try {
    const { found, findings } = await check.examine(seen)
    return { check, severity: worst(findings), found, findings }
  } catch (error) {
    // What could not be looked at is not proven well.
    const finding: Finding = {
      code: 'not-looked-at',
      severity: 'problem',
      found: `This could not be looked at: ${messageOf(error)}`,
      why: 'A fault here would go unnoticed.',
      remedy: 'See to what the message says, then look again.',
    }
    return { check, severity: 'problem', found: 'could not be looked at', findings: [finding] }
  }
}
