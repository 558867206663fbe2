import type { FileLocker } from '@procref/core'
import { type Layout, whileVacant } from '@procref/lifecycle'
import type { Finding, Fix } from './check.ts'
import { messageOf } from './message.ts'

/** What was to be mended, and what came of it. */
export interface MendResult {
  readonly finding: Finding & { readonly fix: Fix }
  /** Why it was left as it is; absent: it is mended. */
  readonly leftBecause?: string
}

const BUSY = 'busy: a guardian lives here, or is just starting or leaving; what it sees to itself needs no mending'

/**
 * Applies the fixes of `findings`: those that disturb nobody at once, the others all together while nobody can become guardian.
 * Never throws: one that fails says why, and the next one is applied.
 */
export function mend(
  findings: readonly Finding[],
  locks: FileLocker | undefined,
  paths: Layout,
): readonly MendResult[] {
  const mendable = findings.filter((finding): finding is MendResult['finding'] => finding.fix !== undefined)
  const free = mendable.filter(({ fix }) => fix.needs === 'nothing')
  const guarded = mendable.filter(({ fix }) => fix.needs === 'no-guardian')
  return [...free.map(apply), ...(guarded.length === 0 ? [] : applyGuarded(guarded, locks, paths))]
}

function applyGuarded(
  findings: readonly MendResult['finding'][],
  locks: FileLocker | undefined,
  paths: Layout,
): readonly MendResult[] {
  if (locks === undefined)
    return leave(findings, 'no backend can be used here, so nobody can be kept from starting meanwhile')
  let results: readonly MendResult[] = []
  try {
    const vacant = whileVacant(locks, paths, () => {
      results = findings.map(apply)
    })
    return vacant ? results : leave(findings, BUSY)
  } catch (error) {
    return leave(findings, messageOf(error))
  }
}

function apply(finding: MendResult['finding']): MendResult {
  const { paths, apply: mendOne } = finding.fix
  const failures = paths.flatMap((path) => {
    try {
      mendOne(path)
      return []
    } catch (error) {
      return [messageOf(error)]
    }
  })
  const [first, ...more] = failures
  if (first === undefined) return { finding }
  return { finding, leftBecause: more.length === 0 ? first : `${first} (and ${more.length} more)` }
}

function leave(findings: readonly MendResult['finding'][], why: string): readonly MendResult[] {
  return findings.map((finding) => ({ finding, leftBecause: why }))
}
