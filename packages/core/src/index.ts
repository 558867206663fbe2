export { ProcrefError } from './errors.ts'
export type { FileLock, FileLocker, LockState, LockWatch } from './file-locker.ts'
export type { Guarantees } from './guarantees.ts'
export type {
  BackendDescriptor,
  Descriptor,
  Json,
  OpenPoolOptions,
  Slot,
  SlotBackend,
  SlotInfo,
  SlotPool,
  Support,
} from './slot-backend.ts'
