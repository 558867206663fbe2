import type { Colors } from '../cli/output.ts'
import { size } from '../cli/size.ts'
import { type BackedUp, backup } from '../data/backup.ts'
import { nameOf } from '../data/errors.ts'
import { describeNotIncluded } from '../data/not-included.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { whileMoving } from './transfer-progress.ts'

export interface BackupCommandOptions extends ServiceOptions {
  readonly json?: boolean
}

/** Writes all databases into a new folder. Throws as `backup()`. */
export async function runBackup(folder: string, options: BackupCommandOptions): Promise<BackedUp> {
  return await whileMoving('backing up', (reporting) =>
    backup({ ...toQuestion(options, 'procref backup'), ...reporting, to: folder }),
  )
}

export function viewBackup({ path, databases, notIncluded }: BackedUp, colors: Colors): string {
  const lines = [
    `${colors.green('backed up')} ${databases.length === 1 ? 'one database' : `${databases.length} databases`} to ${path}`,
  ]
  for (const database of databases) lines.push(`  ${nameOf(database)} (${size(database.bytes)})`)
  const missing = describeNotIncluded(notIncluded)
  if (missing.length > 0) lines.push(colors.yellow('not in it:'), ...missing.map((line) => `  ${line}`))
  return lines.join('\n')
}
