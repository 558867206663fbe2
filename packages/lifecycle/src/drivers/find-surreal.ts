import { type ExecFileException, execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { translateErrno } from '@procref/core'
import { ExecutableFailedError, ExecutableNotFoundError } from './errors.ts'
import { findExecutable } from './find-executable.ts'

const REMEDY = 'Install SurrealDB, or give the option `path` or PROCREF_SURREAL_BIN.'
const REMEDY_OF_NAMED =
  'Correct what names it (the option `path`, else PROCREF_SURREAL_BIN), or name none, to use what is installed.'
const VERSION_MS = 30_000

/**
 * The SurrealDB server's executable: what was asked for, else `surreal-db` in `PATH`, else the component that the `surreal`
 * launcher has pinned, else `surreal` in `PATH`.
 *
 * The component comes before `surreal`, which since 3.3 is the launcher: the process we signal and bind has to be the server.
 */
export function findSurreal(asked: string | undefined): string {
  if (asked !== undefined) {
    const found = findExecutable(asked)
    if (found !== undefined) return found
    const looked = [isAbsolute(asked) ? asked : `${asked} in PATH`]
    throw new ExecutableNotFoundError('surreal executable', looked, REMEDY_OF_NAMED)
  }
  const component = pinnedComponent()
  for (const candidate of ['surreal-db', component, 'surreal']) {
    const found = candidate === undefined ? undefined : findExecutable(candidate)
    if (found !== undefined) return found
  }
  const looked = ['surreal-db in PATH', component ?? join(componentHome() ?? '~/.surrealdb', PIN), 'surreal in PATH']
  throw new ExecutableNotFoundError('surreal executable', looked, REMEDY)
}

/**
 * What `surreal version` says: `3.3.5`. Throws `ServerExitedError` or `ServerNotReadyError` when it does not come to say so, which may pass;
 * `ExecutableNotFoundError` when it is none of SurrealDB; the system's error when it cannot be started.
 */
export async function surrealVersion(file: string): Promise<string> {
  const options = {
    encoding: 'utf8',
    timeout: VERSION_MS,
    cwd: '/',
    env: { ...process.env, SURREAL_LOG: 'error' },
  } as const
  const { stdout } = await promisify(execFile)(file, ['version'], options).catch((error: ExecFileException) => {
    // What the system says of the machine (no descriptor is left, no memory) says nothing of the program.
    const known = typeof error.code === 'string' ? translateErrno(error, 'run', file) : error
    throw known === error ? new ExecutableFailedError(file, howItFailed(error), { cause: error }) : known
  })
  if (/^COMPONENT\s/m.test(stdout)) {
    throw new ExecutableNotFoundError(
      'SurrealDB server',
      [`${file}, which is only its launcher`],
      'Run `surreal install db` once.',
    )
  }
  const version = /^(?:surreal\S* )?v?(\d+\.\d+\.\d+\S*)/m.exec(stdout)?.[1]
  if (version === undefined)
    throw new ExecutableFailedError(file, `prints no version, but ${JSON.stringify(stdout.slice(0, 200))}`)
  return version
}

function howItFailed({ killed, signal, code, stderr = '' }: ExecFileException): string {
  if (killed) return `does not end within ${VERSION_MS / 1_000} s`
  if (typeof code === 'string') return `cannot be run (${code})`
  const how = signal === null || signal === undefined ? `exit code ${code}` : `signal ${signal}`
  return `ends with ${how}: ${JSON.stringify(stderr.trim().slice(-300))}`
}

const PIN = join('components', 'db', 'pin')

/** https://surrealdb.com/docs/explore/cli/components: `<home>/components/db/<version>/surreal-db`, the version in `pin`. */
function pinnedComponent(): string | undefined {
  const home = componentHome()
  if (home === undefined) return undefined
  try {
    const version = readFileSync(join(home, PIN), 'utf8').trim()
    return join(home, 'components', 'db', version, 'surreal-db')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}

function componentHome(): string | undefined {
  const { SURREAL_CLI_HOME, HOME, USERPROFILE } = process.env
  if (SURREAL_CLI_HOME) return SURREAL_CLI_HOME
  const home = HOME || USERPROFILE
  return home ? join(home, '.surrealdb') : undefined
}
