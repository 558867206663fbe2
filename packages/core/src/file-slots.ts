import type { FileLocker } from './file-locker.ts'
import { FileSlotStore } from './file-slot-store.ts'
import type { SlotBackend } from './slot-backend.ts'
import { slotPaths } from './slot-files.ts'
import { type StoreSlotsOptions, storeSlots } from './store-slots.ts'

/** What makes a file-based backend different from another. */
export interface FileSlotsOptions extends Omit<StoreSlotsOptions, 'locks' | 'openStore' | 'maxSlots'> {
  readonly locker: FileLocker
}

/**
 * A backend whose slots are files locked by `locker`: the slot-file protocol of docs/slot-directory.md.
 *
 * Guarantee: what `parts.guarantees` says, provided that `parts.locker` keeps the promises of `FileLocker`.
 * Unspecified: which slot a claim gets.
 * Caller: constructing it does nothing; `support()` and `open()` look at the machine.
 */
export function fileSlots({ locker, ...parts }: FileSlotsOptions): SlotBackend {
  return storeSlots({
    ...parts,
    locks: locker,
    openStore: ({ dir, slots, record, system, restoreDirectory }) =>
      new FileSlotStore({ dir, size: slots, locker, system, record, path: slotPaths(dir) }, restoreDirectory),
  })
}
