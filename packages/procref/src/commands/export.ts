import { UsageError } from '../cli/exit-code.ts'
import { type Colors, colorsFor, note } from '../cli/output.ts'
import { show } from '../cli/show.ts'
import { size } from '../cli/size.ts'
import { nameOf } from '../data/errors.ts'
import { type Exported, exportDatabase } from '../data/export-database.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { whileMoving } from './transfer-progress.ts'

export interface ExportCommandOptions extends ServiceOptions {
  readonly namespace?: string
  readonly database?: string
  readonly force?: boolean
  readonly json?: boolean
}

/** Writes one database to a file, or to standard output, which `-` means as well. Throws as `exportDatabase()`. */
export async function runExport(path: string | undefined, options: ExportCommandOptions): Promise<void> {
  const file = path === '-' ? undefined : path
  if (file === undefined && options.json === true) {
    throw new UsageError('--json needs FILE: without it the export itself is what is printed.')
  }
  const { namespace, database, force } = options
  const exported = await whileMoving('exporting', (reporting) =>
    exportDatabase({
      ...toQuestion(options, 'procref export'),
      ...reporting,
      to: file ?? process.stdout,
      ifExists: force === true ? 'replace' : 'fail',
      ...(namespace !== undefined && { namespace }),
      ...(database !== undefined && { database }),
    }),
  )
  if (file === undefined) note(viewExport(exported, colorsFor(2)))
  else show(options, exported, viewExport)
}

function viewExport(exported: Exported, colors: Colors): string {
  const { file, bytes } = exported
  const to = file === null ? '' : ` to ${file}`
  return `${colors.green('exported')} ${nameOf(exported)}${to} (${size(bytes)})`
}
