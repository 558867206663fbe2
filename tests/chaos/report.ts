import type { Outcome } from './round.ts'

/** A finding for people: how to play it again, and what happened. */
export function finding({ plan, violations, trace }: Outcome): string {
  const { seed, driver, kinds } = plan
  return [
    `${driver}, seed ${seed} (${kinds.join(', ')}):`,
    ...violations.map(({ broken, text }) => `  ${broken}: ${text}`),
    `again: PROCREF_CHAOS_SEED=${seed} PROCREF_CHAOS_DRIVER=${driver} npx vitest run tests/chaos/chaos.test.ts`,
    JSON.stringify(plan),
    trace,
  ].join('\n')
}
