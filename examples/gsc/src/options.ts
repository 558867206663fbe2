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

/** As `readOptions`; ends the process with exit code 2, and the reason on standard error, when a word was not understood. */
export function optionsOrExit(args: readonly string[]): GscOptions {
  try {
    return readOptions(args)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\nOptions: --dir DIR, --driver embedded|binary, --linger-ms N\n`)
    process.exit(2)
  }
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
