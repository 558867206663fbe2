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
export { UnknownBackendError } from './errors.ts'
export type { ExternalQuestion } from './external.ts'
export type { DriverName } from './server-names.ts'
