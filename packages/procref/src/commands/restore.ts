import type { Colors } from '../cli/output.ts'
import { size } from '../cli/size.ts'
import { nameOf } from '../data/errors.ts'
import { type Restored, restore } from '../data/restore.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { whileMoving } from './transfer-progress.ts'

export interface RestoreCommandOptions extends ServiceOptions {
  readonly force?: boolean
  readonly json?: boolean
}

/** Makes all databases of a backup again. Throws as `restore()`. */
export async function runRestore(folder: string, options: RestoreCommandOptions): Promise<Restored> {
  return await whileMoving('restoring', (reporting) =>
    restore({
      ...toQuestion(options, 'procref restore'),
      ...reporting,
      from: folder,
      ifNotEmpty: options.force === true ? 'replace' : 'fail',
    }),
  )
}

export function viewRestore({ path, createdAt, databases }: Restored, colors: Colors): string {
  const lines = [
    `${colors.green('restored')} ${databases.length === 1 ? 'one database' : `${databases.length} databases`} from ${path}, of ${createdAt}`,
  ]
  for (const database of databases) {
    lines.push(`  ${nameOf(database)} (${size(database.bytes)})${database.replaced ? ', replaced' : ''}`)
  }
  const accesses = databases.flatMap((database) =>
    database.accessesWithoutKey.map((access) => `  ${access} of ${nameOf(database)}`),
  )
  if (accesses.length > 0) {
    lines.push(colors.yellow('define these accesses again: a backup has no keys'), ...accesses)
  }
  return lines.join('\n')
}
