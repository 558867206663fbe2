import { chmodSync, closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, type Stats } from 'node:fs'

export type Kind = 'file' | 'directory'

/** What is at the path of a file or directory of ours. */
export type EntryState =
  | { readonly kind: 'missing' | 'fine' | 'link' }
  /** Something else than it should be: `a FIFO`. */
  | { readonly kind: 'other'; readonly is: string }
  | { readonly kind: 'foreign'; readonly uid: number }
  /** Group or others may do something with it. */
  | { readonly kind: 'open-to-others'; readonly mode: number; readonly writable: boolean }
  /** Its owner may not do with it what has to be done. */
  | { readonly kind: 'closed-to-owner'; readonly mode: number }
  | { readonly kind: 'hidden'; readonly error: NodeJS.ErrnoException }

const OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022

/** Looks at what is at `path`, following no link. Owners and modes mean nothing on Windows. */
export function lookAtEntry(path: string, should: Kind): EntryState {
  let stat: Stats | undefined
  try {
    stat = lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    return { kind: 'hidden', error: error as NodeJS.ErrnoException }
  }
  if (stat === undefined) return { kind: 'missing' }
  if (stat.isSymbolicLink()) return { kind: 'link' }
  if (!isOfKind(stat, should)) return { kind: 'other', is: typeOf(stat) }
  const user = process.geteuid?.()
  if (user === undefined) return { kind: 'fine' }
  if (stat.uid !== user) return { kind: 'foreign', uid: stat.uid }
  const mode = stat.mode & 0o777
  const right = rightMode(should)
  if ((mode & right) !== right) return { kind: 'closed-to-owner', mode }
  if ((mode & OTHERS) === 0) return { kind: 'fine' }
  return { kind: 'open-to-others', mode, writable: (mode & WRITABLE_BY_OTHERS) !== 0 }
}

/** What should be there is there, and is ours, whatever its mode. */
export function isOurs({ kind }: EntryState): boolean {
  return kind === 'fine' || kind === 'open-to-others' || kind === 'closed-to-owner'
}

/** The mode of every file or folder of ours. */
export function rightMode(should: Kind): number {
  return should === 'directory' ? 0o700 : 0o600
}

/**
 * Gives what is at `path` its right mode. Follows no link, and touches only what is ours and has no second name: a file with two could be
 * somebody's in another place.
 */
export function setRightMode(path: string, should: Kind): void {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO that came meanwhile must not make us wait.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    // Closed to its owner: the mode can be set by its path only. Whoever could put a link there between these lines is ourselves.
    check(path, lstatSync(path), should)
    chmodSync(path, rightMode(should))
    return
  }
  try {
    check(path, fstatSync(fd), should)
    fchmodSync(fd, rightMode(should))
  } finally {
    closeSync(fd)
  }
}

function check(path: string, stat: Stats, should: Kind): void {
  if (stat.uid !== process.geteuid?.()) throw new Error(`${path} belongs to user ${stat.uid}`)
  if (!isOfKind(stat, should)) throw new Error(`${path} is ${typeOf(stat)} by now`)
  if (stat.isFile() && stat.nlink > 1) {
    throw new Error(`${path} has another name (a hard link), of which the mode would change as well`)
  }
}

function isOfKind(stat: Stats, should: Kind): boolean {
  return should === 'directory' ? stat.isDirectory() : stat.isFile()
}

/** `0644` */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function typeOf(stat: Stats): string {
  if (stat.isFile()) return 'a file'
  if (stat.isDirectory()) return 'a directory'
  if (stat.isFIFO()) return 'a FIFO'
  if (stat.isSocket()) return 'a socket'
  return 'a device'
}
