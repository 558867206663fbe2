import { BackendUnavailableError, descriptorModule, type SlotBackend, storeSlots } from '@procref/core'
import { loadBinding } from './load-binding.ts'
import { nativeLocker } from './locker.ts'
import { OfdRangeStore } from './ofd-range-store.ts'
import { processTable } from './processes.ts'

const MAX_SLOTS = 100_000

/**
 * Slots on single bytes of a few files, locked with fcntl(2)'s open file description locks: for pools of thousands of slots, in which a
 * free one is found without trying the others.
 *
 * Guarantee: `guarantees` below. The kernel gives a slot back as part of its holder's death, however that dies.
 * Unspecified: which slot a claim gets.
 * Caller: nothing. A slot cannot be handed to a child: all slots of a pool share their files' descriptors, and releasing one unlocks it.
 */
export function ofdRange(): SlotBackend {
  const load = () => loadBinding('ofd-range')
  const locks = nativeLocker(load)
  return storeSlots({
    name: 'ofd-range',
    locks,
    ...processTable(load),
    maxSlots: MAX_SLOTS,
    check() {
      if (load().OFD_SLOTS_A_FILE !== undefined) return
      const reason = `${process.platform} has no open file description locks that can be relied on`
      throw new BackendUnavailableError('ofd-range', reason, 'Use native().')
    },
    openStore: (place) => new OfdRangeStore(load(), place),
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
    descriptor: { module: descriptorModule('@procref/native', import.meta.url), factory: 'ofdRange', options: {} },
  })
}
