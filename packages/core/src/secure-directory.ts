import { resolve } from 'node:path'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** Owned by nobody else, and nobody else may put files there. */
const PRIVATE = 0o700
const WRITABLE_BY_OTHERS = 0o022

/** Somebody else could delete, replace or read what is kept in this directory. */
export class UnsafeDirectoryError extends ProcrefError {
  readonly path: string
  constructor(path: string, problem: string, remedy: string) {
    super('PROCREF_UNSAFE_DIRECTORY', `${path} ${problem}. ${remedy}`)
    this.path = path
  }
}

/**
 * Makes the directory at `path` (and missing parents), mode 0700, or checks the one that is there.
 *
 * Guarantee: on return `path` was a directory, not a symbolic link, owned by this process's user, which neither group nor others may
 * write. Nothing is ever chmodded or chowned: a directory that is not so throws `UnsafeDirectoryError`, one that cannot be made
 * or looked at a `FileAccessError`.
 * Unspecified: who may read it, if it was there before; where owners and modes mean nothing (Windows), both are ignored.
 */
export function secureDirectory(path: string, options: { readonly system?: SystemCalls } = {}): void {
  const system = options.system ?? systemCalls
  const absolute = resolve(path)
  try {
    // Looked at first: making it would follow a symbolic link, and create the directory that a dangling one names.
    if (system.lstat(absolute) === undefined) system.mkdirs(absolute, PRIVATE)
  } catch (error) {
    // EEXIST: something that is no directory came meanwhile; the check below says what.
    if (errnoOf(error) !== 'EEXIST') throw translateErrno(error, 'make the directory', absolute)
  }
  checkDirectory(absolute, system)
}

/** The checks of `secureDirectory`, making nothing. A missing directory throws a `FileAccessError` (`PROCREF_NOT_FOUND`). */
export function checkDirectory(path: string, system: SystemCalls = systemCalls): void {
  const stat = lookAt(path, system)
  if (stat.isSymbolicLink()) {
    throw new UnsafeDirectoryError(path, 'is a symbolic link', 'Give the path it leads to, or remove the link.')
  }
  if (!stat.isDirectory()) {
    throw new UnsafeDirectoryError(path, 'is not a directory', 'Move it away, or choose another directory.')
  }
  const user = process.geteuid?.()
  if (user === undefined) return
  if (Number(stat.uid) !== user) throw foreignOwner(path, Number(stat.uid), user)
  if ((Number(stat.mode) & WRITABLE_BY_OTHERS) !== 0) {
    throw new UnsafeDirectoryError(
      path,
      `can be written by other users (mode ${(Number(stat.mode) & 0o777).toString(8)})`,
      `Run \`chmod go-w ${path}\` if you trust what is in it.`,
    )
  }
}

function lookAt(path: string, system: SystemCalls) {
  try {
    const stat = system.lstat(path)
    if (stat !== undefined) return stat
  } catch (error) {
    throw translateErrno(error, 'look at the directory', path)
  }
  throw translateErrno(
    Object.assign(new Error(`ENOENT: lstat '${path}'`), { code: 'ENOENT' }),
    'look at the directory',
    path,
  )
}

function foreignOwner(path: string, owner: number, user: number): UnsafeDirectoryError {
  if (user === 0) {
    const remedy =
      'As root you would leave files there that its owner cannot use: run without sudo, or choose another directory.'
    return new UnsafeDirectoryError(path, `belongs to user ${owner}, and this process is root`, remedy)
  }
  const whose = owner === 0 ? 'root' : `user ${owner}`
  return new UnsafeDirectoryError(
    path,
    `belongs to ${whose}, and this process is user ${user}`,
    'Choose a directory of your own.',
  )
}
