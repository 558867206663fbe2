import { BackendUnavailableError, descriptorModule, type SlotBackend, SlotTableStore, storeSlots } from '@procref/core'
import { loadBinding } from './load-binding.ts'
import { nativeLocker } from './locker.ts'
import { processTable } from './processes.ts'
import { RobustMutexTables } from './robust-mutex-tables.ts'

/** `ROBUST_LIST_LIMIT`: of a thread that dies the kernel releases this many mutexes. */
const MAX_SLOTS = 2_048

/**
 * Slots as robust mutexes in a file that all processes map: the kernel marks the mutexes of a thread that died (`EOWNERDEAD`).
 *
 * Guarantee: `guarantees` below. The kernel gives a slot back as part of its holder's death, however that dies.
 * Unspecified: which slot a claim gets, and which of those that wait for one.
 * Caller: nobody may truncate `robust.mutexes` while it is used. What was lost with it cannot be claimed again, and a process that touches a
 * page in the very moment in which the file loses it is killed by SIGBUS.
 */
export function robustMutex(): SlotBackend {
  const load = () => loadBinding('robust-mutex')
  const locks = nativeLocker(load)
  return storeSlots({
    name: 'robust-mutex',
    locks,
    ...processTable(load),
    maxSlots: MAX_SLOTS,
    check() {
      if (load().ROBUST_MAX_SLOTS !== undefined) return
      throw new BackendUnavailableError('robust-mutex', `${process.platform} has no robust futexes`, 'Use native().')
    },
    openStore: (place) => new SlotTableStore(place, new RobustMutexTables(load(), place), locks),
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'host',
      inheritableByChild: false,
      // They are flock(2) on files, as those of native().
      locksInheritableByChild: true,
      interoperatesWithSeed: false,
      platforms: ['linux'],
    },
    descriptor: { module: descriptorModule('@procref/native', import.meta.url), factory: 'robustMutex', options: {} },
  })
}
