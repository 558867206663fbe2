import type { Colors } from '../cli/output.ts'
import { size } from '../cli/size.ts'
import { nameOf } from '../data/errors.ts'
import { type Imported, importDatabase } from '../data/import-database.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { whileMoving } from './transfer-progress.ts'

export interface ImportCommandOptions extends ServiceOptions {
  readonly namespace?: string
  readonly database?: string
  readonly json?: boolean
}

/** Carries out the statements in a file, or of standard input for `-`. Throws as `importDatabase()`. */
export async function runImport(file: string, options: ImportCommandOptions): Promise<Imported> {
  const { namespace, database } = options
  return await whileMoving('importing', (reporting) =>
    importDatabase({
      ...toQuestion(options, 'procref import'),
      ...reporting,
      from: file === '-' ? process.stdin : file,
      ...(namespace !== undefined && { namespace }),
      ...(database !== undefined && { database }),
    }),
  )
}

export function viewImport(imported: Imported, colors: Colors): string {
  const { file, bytes } = imported
  return `${colors.green('imported')} ${file ?? 'standard input'} into ${nameOf(imported)} (${size(bytes)})`
}
