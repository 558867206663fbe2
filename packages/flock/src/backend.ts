import { descriptorModule, fileSlots, type SlotBackend } from '@procref/core'
import { loadFlock } from './fs-ext.ts'
import { flockLocker } from './locker.ts'

/**
 * Slots on flock(2), through the library fs-ext.
 *
 * Guarantee: `guarantees` below. The kernel gives a slot back as part of its holder's death, however that dies; processes
 * in other languages take part with flock(2) on the same files.
 * Unspecified: which slot a claim gets.
 * Caller: nothing; constructing it loads nothing. Where fs-ext is not installed, `support()` says so and `open()` throws
 * `BackendUnavailableError`.
 */
export function flock(): SlotBackend {
  return fileSlots({
    name: 'flock',
    locker: flockLocker(),
    check: () => void loadFlock(),
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'host',
      inheritableByChild: true,
      interoperatesWithSeed: true,
      platforms: ['linux', 'darwin', 'freebsd'],
    },
    descriptor: { module: descriptorModule('@procref/flock', import.meta.url), factory: 'flock', options: {} },
  })
}
