import { createRequire } from 'node:module'
import { systemCalls } from '@procref/core'
// Not part of the public interface: the table of system calls is for these tests.
import type { FlockCalls } from '../dist/system-calls.js'

const { flockSync } = createRequire(import.meta.url)('fs-ext') as {
  readonly flockSync: (fd: number, operation: 'exnb' | 'shnb') => void
}

/** Real system calls that know which descriptors they opened and did not close. */
export interface CountedCalls extends FlockCalls {
  readonly open: FlockCalls['open']
  openFds(): number
}

/** The real calls with `replaced` in place of some. */
export function countedCalls(replaced: Partial<FlockCalls> = {}): CountedCalls {
  const fds = new Set<number>()
  const calls: FlockCalls = { ...systemCalls, flock: flockSync, ...replaced }
  return {
    ...calls,
    open(path, flags, mode) {
      const fd = calls.open(path, flags, mode)
      fds.add(fd)
      return fd
    },
    close(fd) {
      fds.delete(fd)
      calls.close(fd)
    },
    openFds: () => fds.size,
  }
}

/** What the operating system throws. */
export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by a test`), { code })
}
