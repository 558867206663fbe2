export { ProcrefError, SlotsExhaustedError } from '@procref/core'
export type {
  ExternalCredentials,
  ExternalDriver,
  ExternalOptions,
  ExternalServer,
  Lease,
  LeasedServer,
  Progress,
  ReconnectEvent,
  ServerDriver,
  Storage,
} from '@procref/lifecycle'
export {
  ConfigMismatchError,
  ConnectTimeoutError,
  command,
  ExternalNotSurrealError,
  ExternalRefusedError,
  ExternalTlsError,
  ExternalUnreachableError,
  external,
  LeaseLostError,
  ServerFailedError,
  StoppedOnRequestError,
  surrealBinary,
} from '@procref/lifecycle'
export { type ConnectOptions, connect } from './connect.ts'
export { type BackedUp, type BackupOptions, backup } from './data/backup.ts'
export {
  BackupUnusableError,
  DatabaseNameError,
  DatabaseNotFoundError,
  ExportFailedError,
  ImportFailedError,
  NewerBackupError,
  RestoreIncompleteError,
  RestoreTargetNotEmptyError,
  TargetExistsError,
} from './data/errors.ts'
export { type Exported, type ExportOptions, exportDatabase } from './data/export-database.ts'
export { type Imported, type ImportOptions, importDatabase } from './data/import-database.ts'
export type { Manifest } from './data/manifest.ts'
export { type Restored, type RestoreOptions, restore } from './data/restore.ts'
export { UnknownBackendError } from './errors.ts'
export type { ExternalQuestion } from './external.ts'
export type { DriverName } from './server-names.ts'
