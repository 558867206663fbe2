import { type Guarantees, locksAreInheritable } from './guarantees.ts'

/** The further left, the weaker. */
const CRASH_RELEASES: readonly Guarantees['crashRelease'][] = ['stale-timeout', 'watchdog', 'kernel']
/** Kinds of namespaces are equally narrow; none contains another. */
const SCOPES: readonly Guarantees['scope'][] = [
  'network-namespace',
  'ipc-namespace',
  'pid-namespace',
  'host',
  'cluster',
]

/**
 * What holds of somebody who depends on both: of each promise the weaker one. A slot that is two slots has no descriptor that hands on
 * both; a control lock has one only where one lock stands for both (`oneLock`).
 */
export function weakerGuarantees(a: Guarantees, b: Guarantees, { oneLock }: { readonly oneLock: boolean }): Guarantees {
  return {
    crashRelease: weaker(CRASH_RELEASES, a.crashRelease, b.crashRelease),
    maxRecoveryMs: Math.max(a.maxRecoveryMs, b.maxRecoveryMs),
    scope: weaker(SCOPES, a.scope, b.scope),
    inheritableByChild: false,
    locksInheritableByChild: oneLock && locksAreInheritable(a) && locksAreInheritable(b),
    interoperatesWithSeed: a.interoperatesWithSeed && b.interoperatesWithSeed,
    platforms: a.platforms.filter((platform) => b.platforms.includes(platform)),
  }
}

function weaker<T>(weakestFirst: readonly T[], a: T, b: T): T {
  return weakestFirst.indexOf(a) <= weakestFirst.indexOf(b) ? a : b
}
