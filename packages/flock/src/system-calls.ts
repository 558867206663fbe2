import { type SystemCalls, systemCalls } from '@procref/core'
import { loadFlock } from './fs-ext.ts'

/** What the locker asks of the operating system; tests replace entries. */
export interface FlockCalls extends Pick<SystemCalls, 'open' | 'close' | 'fstat' | 'stat'> {
  /** flock(2), never blocking. Throws an error with code `EAGAIN` when refused. */
  flock(fd: number, operation: FlockOperation): void
}

/** Always `LOCK_NB`: fs-ext would block the event loop without it, or one of libuv's few threads for ever. */
export type FlockOperation = 'exnb' | 'shnb'

export const flockCalls: FlockCalls = {
  open: systemCalls.open,
  close: systemCalls.close,
  fstat: systemCalls.fstat,
  stat: systemCalls.stat,
  flock: (fd, operation) => loadFlock()(fd, operation),
}
