export { BackendUnavailableError } from './backend-unavailable.ts'
export { errnoOf, FileAccessError, translateErrno } from './errno.ts'
export { ProcrefError } from './errors.ts'
export type { FileLock, FileLocker, LockState, LockWatch } from './file-locker.ts'
export { type FileSlotsOptions, fileSlots } from './file-slots.ts'
export {
  checkFilesystem,
  type FilesystemOptions,
  filesystemOf,
  isMemoryFilesystem,
  UnsupportedFilesystemError,
} from './filesystem.ts'
export type { FilesystemKind, FilesystemType } from './filesystem-types.ts'
export { FreedSlots, type SlotWaits } from './freed-slots.ts'
export { type Guarantees, locksAreInheritable } from './guarantees.ts'
export { ProcessIdentityUnavailableError } from './identity-unavailable.ts'
export { importTrouble, START_ANEW } from './import-trouble.ts'
export { descriptorModule, installedModule, isBundled, ownFile, requireBeside } from './installed-module.ts'
export { isError } from './is-error.ts'
export { leadsElsewhere } from './leads-elsewhere.ts'
export { type LinkedSignal, linkSignals } from './link-signals.ts'
export { loadTrouble } from './load-trouble.ts'
export { testMedium } from './medium-test.ts'
export {
  type Migration,
  type MigrationPhase,
  migrating,
  NothingToMigrateError,
  rebuildMigrating,
} from './migrating.ts'
export { isMovedAway, type MoveStep, moveSlots, type SlotMove, SlotsHeldError, undoMove } from './move-slots.ts'
export { needDescriptors } from './need-descriptors.ts'
export { onFile } from './on-file.ts'
export { isPassingTrouble } from './passing-trouble.ts'
export { ifVisible, isGone, isRefused } from './proc.linux.ts'
export {
  bootId,
  identify,
  identifySelf,
  isProcessIdentity,
  isProvenDead,
  isSameProcess,
  processState,
  sameNamespaces,
} from './process-identity.ts'
export type { ProcessIdentity, ProcessTable } from './process-table.ts'
export {
  checkNextFolder,
  DEFAULT_SLOTS,
  DirectoryMovingError,
  isSlotsFolder,
  MAX_SLOTS,
  nextSlotsFolder,
  OtherMigrationError,
  PIN_FILE,
  PoolMovedError,
  PoolSizeMismatchError,
  ProtocolMismatchError,
  type ProtocolPin,
  ProtocolUnreadableError,
  pinProtocol,
  readProtocolPin,
  slotsFolder,
} from './protocol-pin.ts'
export { DescriptorError, type Factories, offerFactories, rebuildFromDescriptor } from './rebuild-from-descriptor.ts'
export { checkDirectory, secureDirectory, UnsafeDirectoryError } from './secure-directory.ts'
export {
  type BackendCandidate,
  NoBackendError,
  type RejectedBackend,
  type Selection,
  selectBackend,
} from './select-backend.ts'
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
  SupportOptions,
  Unsupported,
} from './slot-backend.ts'
export { describeHolder, PoolClosedError, SlotLostError, SlotProbedError, SlotsExhaustedError } from './slot-errors.ts'
export { SlotFileUnstableError } from './slot-files.ts'
export { slotFileName, slotOfFileName } from './slot-name.ts'
export { encodeRecord, parseRecord, RECORD_BYTES, type SlotRecord } from './slot-record.ts'
export type { SlotStore, TakenSlot, UsedSlot } from './slot-store.ts'
export type { SlotTable, SlotTables } from './slot-table.ts'
export { SlotTableStore, TableBeingMadeError, TableUnsettledError, TableUnstableError } from './slot-table-store.ts'
export { type StorePlace, type StoreSlotsOptions, storeSlots } from './store-slots.ts'
export { type SystemCalls, systemCalls } from './system-calls.ts'
export { type FileIdentity, leadsTo, openIfThere, replaceFile, TableDamagedError } from './table-file.ts'
export { unlessAborted } from './unless-aborted.ts'
export { UnsafeFileError } from './unsafe-file.ts'
