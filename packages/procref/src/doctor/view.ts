import type { Colors } from '../cli/output.ts'
import { formatTable, harmless } from '../cli/table.ts'
import type { DoctorReport, FindingReport } from '../commands/doctor.ts'
import { bySeverity, type Severity } from './check.ts'

type Paint = (text: string) => string

/** A line for each check; then what was mended; then what was found, the worst last, next to the prompt. */
export function viewDoctor(report: DoctorReport, colors: Colors): string {
  const { dir, checks, findings, mended, left, notLookedAt } = report
  const rows = checks.map(({ id, severity, found }) => [
    paint(severity, colors)(severity),
    id,
    colors.dim(harmless(found)),
  ])
  const parts = [formatTable(rows)]
  if (notLookedAt.length > 0)
    parts.push(colors.dim(`not looked at without a directory that can be used: ${notLookedAt.join(', ')}`))
  const acts = [
    ...mended.map(
      ({ check, did, paths }) => `${colors.green('mended')}  ${colors.bold(check)}  ${harmless(did)}${listed(paths)}`,
    ),
    ...left.map(
      ({ check, would, reason, paths }) =>
        `${colors.yellow('left')}    ${colors.bold(check)}  would ${harmless(`${would}; ${reason}`)}${listed(paths)}`,
    ),
  ]
  if (acts.length > 0) parts.push(acts.join('\n'))
  parts.push(...[...findings].sort(bySeverity).map((finding) => viewFinding(finding, colors)))
  parts.push(summary(report, dir, colors))
  return parts.join('\n\n')
}

function viewFinding({ check, severity, found, why, remedy, fix }: FindingReport, colors: Colors): string {
  const lines = [
    `${paint(severity, colors)(severity)}  ${colors.bold(check)}  ${lined(found)}`,
    `  why: ${lined(why)}`,
    `  do:  ${lined(remedy)}`,
  ]
  if (fix !== null) lines.push(`  fix: \`procref doctor --fix\` can ${lined(fix)}`)
  return lines.join('\n')
}

/** The text of other programs (labels, logs) goes through here as well. */
function lined(text: string): string {
  return text.split('\n').map(harmless).join('\n       ')
}

function listed(paths: readonly string[]): string {
  return paths.map((path) => `\n  ${harmless(path)}`).join('')
}

function summary({ severity, findings, healthy }: DoctorReport, dir: string, colors: Colors): string {
  const word = healthy ? colors.green(colors.bold('healthy')) : colors.red(colors.bold('not healthy'))
  const counts = (['problem', 'warning', 'note'] as const)
    .map((kind) => [findings.filter((finding) => finding.severity === kind).length, kind] as const)
    .filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} ${kind}${count === 1 ? '' : 's'}`)
  return `${word}  ${dir}${severity === 'ok' ? '' : colors.dim(`  (${counts.join(', ')})`)}`
}

function paint(severity: Severity, colors: Colors): Paint {
  switch (severity) {
    case 'ok':
      return colors.green
    case 'note':
      return colors.cyan
    case 'warning':
      return colors.yellow
    case 'problem':
      return colors.red
  }
}
