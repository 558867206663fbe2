import { fileSlots, type Guarantees, type SlotBackend } from '@procref/core'
import { flockLocker } from './locker.ts'

const GUARANTEES: Guarantees = {
  crashRelease: 'kernel',
  // The kernel closes a dying process's descriptors as part of its death; 3 ms were measured from SIGKILL to the next claim.
  maxRecoveryMs: 1_000,
  scope: 'host',
  inheritableByChild: true,
  interoperatesWithSeed: true,
  platforms: ['linux', 'darwin', 'freebsd', 'openbsd'],
}

/**
 * Slots on flock(2) (https://man7.org/linux/man-pages/man2/flock.2.html), called through fs-ext.
 *
 * Guarantee: a slot ends with the last process that has its open file description, however that process ends.
 * Unspecified: what happens on network and pass-through file systems; they are refused.
 * Caller: a child that is given a slot's descriptor keeps the slot as long as it lives.
 */
export function flock(): SlotBackend {
  return fileSlots({
    name: 'flock',
    locker: flockLocker(),
    guarantees: GUARANTEES,
    descriptor: { module: new URL('./index.js', import.meta.url).href, factory: 'flock', options: {} },
  })
}
