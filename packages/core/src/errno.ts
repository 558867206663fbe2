import { ProcrefError } from './errors.ts'
import { faultyFolderAbove } from './faulty-folder.ts'
import { isError } from './is-error.ts'

/** The operating system refused a file operation for a reason that has a remedy. `cause` is its own error. */
export class FileAccessError extends ProcrefError {
  readonly path: string
  readonly errno: string
  constructor(code: `PROCREF_${string}`, message: string, path: string, errno: string, cause: unknown) {
    super(code, message, { cause })
    this.path = path
    this.errno = errno
  }
}

const DENIED = {
  code: 'PROCREF_PERMISSION_DENIED',
  advice: 'Check who owns it (`ls -ld`): a program that was once run with sudo leaves files of root behind.',
} as const
const FULL = {
  code: 'PROCREF_DISK_FULL',
  advice: 'Free some space on that disk (or files: `df -i`; or the quota) and try again.',
} as const
const TOO_MANY = {
  code: 'PROCREF_TOO_MANY_OPEN_FILES',
  advice: 'Close what is not needed, or raise the limit (`ulimit -n`).',
} as const

const REMEDIES: Readonly<Record<string, { readonly code: `PROCREF_${string}`; readonly advice: string }>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  ENOSPC: FULL,
  EDQUOT: FULL,
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  EROFS: { code: 'PROCREF_READ_ONLY', advice: 'The file system is mounted read-only: choose another directory.' },
  ENOENT: { code: 'PROCREF_NOT_FOUND', advice: 'It does not exist, or was deleted while it was used.' },
  ENOTDIR: { code: 'PROCREF_NOT_A_DIRECTORY', advice: 'A file is where a directory should be: move it away.' },
  EISDIR: { code: 'PROCREF_NOT_A_FILE', advice: 'A directory is where a file should be: move it away.' },
  ENXIO: { code: 'PROCREF_NOT_A_FILE', advice: 'Something that is not a plain file is there: move it away.' },
  ELOOP: { code: 'PROCREF_SYMBOLIC_LINK', advice: 'Symbolic links are not followed here: remove the link.' },
  EIO: {
    code: 'PROCREF_IO_ERROR',
    advice: 'The disk failed, or what connects it: see the log of the kernel (`dmesg`), and try again.',
  },
  ENOMEM: {
    code: 'PROCREF_OUT_OF_MEMORY',
    advice: 'The kernel has no memory left for it: end some programs, and try again.',
  },
  EFBIG: {
    code: 'PROCREF_FILE_TOO_LARGE',
    advice: 'A limit on the size of files is in force (`ulimit -f`, of the program that started the server): raise it.',
  },
  ENAMETOOLONG: {
    code: 'PROCREF_PATH_TOO_LONG',
    advice: 'The system takes no path that long: choose another directory.',
  },
  ENOLCK: { code: 'PROCREF_NO_LOCKS_LEFT', advice: 'The kernel has no room for another lock: try again later.' },
}

/** The errno name of a system's error (`ENOENT`), from Node or from a native module; `undefined` for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!isError(error) || error instanceof ProcrefError) return undefined
  const code = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/**
 * The one translation of errno: the error to throw instead of `error`, which happened while `doing` something to `path`.
 * What has no known remedy is returned unchanged.
 */
export function translateErrno(error: unknown, doing: string, path: string): unknown {
  const errno = errnoOf(error)
  const remedy = errno === undefined ? undefined : REMEDIES[errno]
  if (errno === undefined || remedy === undefined) return error
  const advice = adviceAbout(errno, path) ?? remedy.advice
  return new FileAccessError(remedy.code, `Could not ${doing} ${path} (${errno}). ${advice}`, path, errno, error)
}

/** The kernel does not say which part of a path is meant. */
function adviceAbout(errno: string, path: string): string | undefined {
  if (errno !== 'ENOENT' && errno !== 'ENOTDIR') return undefined
  const folder = faultyFolderAbove(path)
  if (folder === undefined) return undefined
  return folder.fault === 'missing'
    ? `The folder ${folder.path} does not exist, or was deleted while it was used.`
    : `${folder.path} is a file where a directory should be: move it away, or choose another path.`
}
