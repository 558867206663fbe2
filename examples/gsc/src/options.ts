import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { DriverName } from 'procref'

export interface GscOptions {
  /** The directory whose database is shared. */
  readonly dir: string
  readonly driver?: DriverName
  readonly lingerMs?: number
}

/**
 * What both servers take on their command line. The directory is `--dir`, else `$GSC_DIR`, else `~/.gsc`.
 * Throws a `TypeError` that says which word was not understood.
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): GscOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { dir: { type: 'string' }, driver: { type: 'string' }, 'linger-ms': { type: 'string' } },
  })
  const dir = values.dir ?? (env.GSC_DIR || join(homedir(), '.gsc'))
  // Clients start their servers wherever they like: what is relative would lead each one to another database.
  if (!isAbsolute(dir)) throw new TypeError(`the directory has to be an absolute path, not ${JSON.stringify(dir)}`)
  const { driver, 'linger-ms': linger } = values
  if (driver !== undefined && driver !== 'embedded' && driver !== 'binary') {
    throw new TypeError(`there is no driver ${JSON.stringify(driver)}: --driver embedded, or --driver binary`)
  }
  if (linger !== undefined && !/^\d{1,9}$/.test(linger)) {
    throw new TypeError(`--linger-ms takes a number of milliseconds, not ${JSON.stringify(linger)}`)
  }
  return { dir, ...(driver !== undefined && { driver }), ...(linger !== undefined && { lingerMs: Number(linger) }) }
}
