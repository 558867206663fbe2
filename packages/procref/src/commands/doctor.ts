import { type Finding, type Severity, worst } from '../doctor/check.ts'
import { type Diagnosis, examine } from '../doctor/examine.ts'
import { type MendResult, mend } from '../doctor/mend.ts'
import { resolvePlace } from '../place.ts'
import type { LookOptions } from './status.ts'

export { viewDoctor } from '../doctor/view.ts'

export interface DoctorOptions extends LookOptions {
  readonly fix?: boolean
}

/** Stable: fields are only added. */
export interface DoctorReport {
  readonly dir: string
  /** No problem, or none left. */
  readonly healthy: boolean
  /** The worst of all findings. */
  readonly severity: Severity
  readonly checks: readonly CheckReport[]
  /** By check. After `--fix`: what is left. */
  readonly findings: readonly FindingReport[]
  /** Ids of the checks for which there is no directory to look into. */
  readonly notLookedAt: readonly string[]
  /** What `--fix` did. */
  readonly mended: readonly MendReport[]
  /** What `--fix` would have done, and why it did not. */
  readonly left: readonly LeftReport[]
}

export interface CheckReport {
  readonly id: string
  readonly severity: Severity
  readonly looksAt: string
  readonly found: string
}

export interface FindingReport {
  readonly check: string
  readonly code: string
  readonly severity: Finding['severity']
  readonly path: string | null
  readonly found: string
  readonly why: string
  readonly remedy: string
  /** What `--fix` would do; `null`: nothing. */
  readonly fix: string | null
}

interface MendReport {
  readonly check: string
  readonly code: string
  readonly did: string
  readonly paths: readonly string[]
}

interface LeftReport {
  readonly check: string
  readonly code: string
  readonly would: string
  readonly reason: string
  readonly paths: readonly string[]
}

/** Looks at the directory and what surrounds it; with `fix` it mends what it may, and looks again. */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const paths = resolvePlace(options.dir)
  const first = await examine(paths, options.backend)
  const findings = first.results.flatMap((result) => result.findings)
  if (options.fix !== true || !findings.some(({ fix }) => fix !== undefined)) return report(first, [], first)
  const mended = mend(findings, first.seen.locks, paths)
  return report(await examine(paths, options.backend), mended, first)
}

function report(
  { seen, results, notLookedAt }: Diagnosis,
  mends: readonly MendResult[],
  before: Diagnosis,
): DoctorReport {
  const findings = results.flatMap(({ check, findings }) => findings.map((finding) => findingReport(check.id, finding)))
  const severity = worst(findings)
  const checkOf = (finding: Finding): string =>
    before.results.find((result) => result.findings.includes(finding))?.check.id ?? ''
  return {
    dir: seen.paths.root,
    healthy: severity !== 'problem',
    severity,
    checks: results.map(({ check, severity, found }) => ({ id: check.id, severity, looksAt: check.looksAt, found })),
    findings,
    notLookedAt: notLookedAt.map((check) => check.id),
    mended: mends
      .filter(({ leftBecause }) => leftBecause === undefined)
      .map(({ finding }) => {
        const { did, paths } = finding.fix
        return { check: checkOf(finding), code: finding.code, did, paths }
      }),
    left: mends.flatMap(({ finding, leftBecause: reason }) => {
      const { does, paths } = finding.fix
      return reason === undefined ? [] : [{ check: checkOf(finding), code: finding.code, would: does, reason, paths }]
    }),
  }
}

function findingReport(check: string, finding: Finding): FindingReport {
  const { code, severity, path = null, found, why, remedy, fix } = finding
  return { check, code, severity, path, found, why, remedy, fix: fix?.does ?? null }
}
