import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, type Stats } from 'node:fs'

/** What is at the path of a file or directory of ours. */
export type EntryState =
  | { readonly kind: 'missing' | 'fine' | 'link' }
  /** Something else than it should be: `a FIFO`. */
  | { readonly kind: 'other'; readonly is: string }
  | { readonly kind: 'foreign'; readonly uid: number }
  /** Group or others may do something with it. */
  | { readonly kind: 'open-to-others'; readonly mode: number; readonly writable: boolean }
  | { readonly kind: 'hidden'; readonly error: NodeJS.ErrnoException }

const OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022

/** Looks at what is at `path`, following no link. Owners and modes mean nothing on Windows. */
export function lookAtEntry(path: string, should: 'file' | 'directory'): EntryState {
  let stat: Stats | undefined
  try {
    stat = lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    return { kind: 'hidden', error: error as NodeJS.ErrnoException }
  }
  if (stat === undefined) return { kind: 'missing' }
  if (stat.isSymbolicLink()) return { kind: 'link' }
  if (should === 'directory' ? !stat.isDirectory() : !stat.isFile()) return { kind: 'other', is: typeOf(stat) }
  const user = process.geteuid?.()
  if (user === undefined) return { kind: 'fine' }
  if (stat.uid !== user) return { kind: 'foreign', uid: stat.uid }
  const mode = stat.mode & 0o777
  if ((mode & OTHERS) === 0) return { kind: 'fine' }
  return { kind: 'open-to-others', mode, writable: (mode & WRITABLE_BY_OTHERS) !== 0 }
}

/**
 * Takes the rights of group and others away. Follows no link, and touches only what is ours and has no second name: a file with two
 * could be somebody's in another place.
 */
export function closeToOthers(path: string): void {
  // O_NONBLOCK: a FIFO that came meanwhile must not make us wait.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(fd)
    if (stat.uid !== process.geteuid?.()) throw new Error(`${path} belongs to user ${stat.uid}`)
    if (!stat.isDirectory() && !stat.isFile()) throw new Error(`${path} is ${typeOf(stat)} by now`)
    if (stat.isFile() && stat.nlink > 1)
      throw new Error(`${path} has another name (a hard link) that the mode would change as well`)
    fchmodSync(fd, stat.mode & 0o777 & ~OTHERS)
  } finally {
    closeSync(fd)
  }
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
