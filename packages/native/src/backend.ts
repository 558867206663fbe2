import { descriptorModule, fileSlots, type SlotBackend } from '@procref/core'
import { loadBinding } from './load-binding.ts'
import { nativeLocker } from './locker.ts'
import { isInheritedByChildren } from './platform.ts'
import { processTable } from './processes.ts'

/**
 * Slots on flock(2), or LockFileEx on Windows, called from Rust: the same protocol and directory as `flock()` of @procref/flock and
 * the seed's program, one native call a claim, and waits that the kernel ends.
 *
 * Guarantee: `guarantees` below. The kernel gives a slot back as part of its holder's death, however that dies.
 * Unspecified: which slot a claim gets.
 * Caller: nothing; constructing it loads nothing. Where there is no native code, `support()` says so and `open()` throws
 * `BackendUnavailableError`.
 */
export function native(): SlotBackend {
  const load = () => loadBinding('native')
  return fileSlots({
    name: 'native',
    protocol: 'flock',
    locker: nativeLocker(load),
    ...processTable(load),
    check: () => void load(),
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'host',
      inheritableByChild: isInheritedByChildren(),
      interoperatesWithSeed: true,
      platforms: ['linux', 'darwin', 'freebsd', 'win32'],
    },
    descriptor: { module: descriptorModule('@procref/native', import.meta.url), factory: 'native', options: {} },
  })
}
