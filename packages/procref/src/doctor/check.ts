import type { Surroundings } from './look-around.ts'

/** `note`: good to know. `warning`: works, and may not for long, or not as wished. `problem`: something fails, or will. */
export type Severity = 'ok' | 'note' | 'warning' | 'problem'

/** Something that is not as it should be, or that somebody would want to know. */
export interface Finding {
  /** Stable, with dashes: which fault it is, among those that its check knows. */
  readonly code: string
  readonly severity: Exclude<Severity, 'ok'>
  /** What it is about; left out where that is no file. */
  readonly path?: string
  /** What was found. Sentences for people, as the next two. */
  readonly found: string
  readonly why: string
  readonly remedy: string
  readonly fix?: Fix
}

/** What `--fix` may do by itself: proven safe, and never to the data. */
export interface Fix {
  /** In the form "set their mode to 0600"; and the same once it is done. */
  readonly does: string
  readonly did: string
  /** What is changed. */
  readonly paths: readonly string[]
  /**
   * `nothing`: disturbs nobody, whoever runs. `no-guardian`: only while no guardian lives, and none can start; it is applied
   * with `guardian.lock` held.
   */
  readonly needs: 'nothing' | 'no-guardian'
  /** Mends one of `paths`. Looks again before it acts: time has passed since the look. Throws where it must not act. Quick. */
  apply(path: string): void
}

export interface Examination {
  /** In a few words, also where all is well: `0700, yours`. */
  readonly found: string
  readonly findings: readonly Finding[]
}

/** One thing that is looked at. Changes nothing, and makes nothing that stays. */
export interface Check {
  /** Stable, with dashes. */
  readonly id: string
  /** What it looks at, in words. */
  readonly looksAt: string
  /** `inside`: only in a directory that is there and can be used. */
  readonly where: 'inside' | 'anywhere'
  examine(seen: Surroundings): Examination | Promise<Examination>
}

const ORDER: readonly Severity[] = ['ok', 'note', 'warning', 'problem']

/** The worst of them; `ok` when there are none. */
export function worst(findings: readonly { readonly severity: Severity }[]): Severity {
  return findings.reduce<Severity>(
    (sofar, { severity }) => (ORDER.indexOf(severity) > ORDER.indexOf(sofar) ? severity : sofar),
    'ok',
  )
}

/** The least first: what matters most ends up next to the prompt. */
export function bySeverity(a: { readonly severity: Severity }, b: { readonly severity: Severity }): number {
  return ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)
}
