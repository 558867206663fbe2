import { BackendUnavailableError, descriptorModule, type SlotBackend, SlotTableStore, storeSlots } from '@procref/core'
import { loadBinding } from './load-binding.ts'
import { nativeLocker } from './locker.ts'
import { processTable } from './processes.ts'
import { SysvTables } from './sysv-tables.ts'

/** `SEMMSL` of Linux (32,000) less the six semaphores that are no slots. */
const MAX_SLOTS = 31_994

/**
 * Slots in a System V semaphore set, which the kernel gives back by `SEM_UNDO`.
 *
 * Guarantee: `guarantees` below. The kernel gives a slot back as part of its holder's death, however that dies.
 * A claim that waits is handed the next slot that is freed, first come, first served.
 * Unspecified: which slot a claim gets.
 * Caller: all who use the directory are in one IPC namespace; another one is refused, never let in twice. The set is removed by the pool
 * that closes last; if that one is killed instead, the set stays (`ipcs -s`) until the directory is used again, or the next boot.
 */
export function sysv(): SlotBackend {
  const load = () => loadBinding('sysv')
  const locks = nativeLocker(load)
  return storeSlots({
    name: 'sysv',
    locks,
    ...processTable(load),
    maxSlots: MAX_SLOTS,
    check() {
      if (load().SYSV_MAX_SLOTS !== undefined) return
      throw new BackendUnavailableError(
        'sysv',
        `there is no SEM_UNDO to rely on on ${process.platform}`,
        'Use native().',
      )
    },
    openStore: (place) => new SlotTableStore(place, new SysvTables(load(), place), locks),
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'ipc-namespace',
      inheritableByChild: false,
      // They are flock(2) on files, as those of native().
      locksInheritableByChild: true,
      interoperatesWithSeed: false,
      platforms: ['linux'],
    },
    descriptor: { module: descriptorModule('@procref/native', import.meta.url), factory: 'sysv', options: {} },
  })
}
