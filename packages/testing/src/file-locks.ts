import { readFileSync, type Stats } from 'node:fs'

/** A file lock that the kernel has given to somebody, of any kind. */
export interface HeldLock {
  /** Who took it; 0: that process is gone (a child has inherited the lock), or the kernel does not say. */
  readonly pid: number
  /** As `fileKey` says it. */
  readonly file: string
}

/** All locks that are held now; nothing where the kernel does not list them. */
export function heldLocks(): readonly HeldLock[] {
  let text: string
  try {
    text = readFileSync('/proc/locks', 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text.split('\n').flatMap((line) => {
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; with `->` before the kind it is somebody who waits.
    const [, pid, file] = /^\d+: +[A-Z]+ +\S+ +\S+ +(-?\d+) +([0-9a-f]+:[0-9a-f]+:\d+) /.exec(line) ?? []
    return file === undefined ? [] : [{ pid: Math.max(0, Number(pid)), file }]
  })
}

/** A file as /proc/locks names it: the numbers of its device, hexadecimal, and of its inode. */
export function fileKey({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  const device = BigInt(dev)
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  const hexadecimal = (number: bigint): string => number.toString(16).padStart(2, '0')
  return `${hexadecimal(major)}:${hexadecimal(minor)}:${ino}`
}
