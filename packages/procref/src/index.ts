export { ProcrefError, SlotsExhaustedError } from '@procref/core'
export type { Lease, LeasedServer, Progress, ReconnectEvent, ServerDriver, Storage } from '@procref/lifecycle'
export {
  ConfigMismatchError,
  ConnectTimeoutError,
  command,
  LeaseLostError,
  ServerFailedError,
  StoppedOnRequestError,
  surrealBinary,
} from '@procref/lifecycle'
export { type ConnectOptions, connect } from './connect.ts'
export { UnknownBackendError } from './errors.ts'
export type { DriverName } from './server-names.ts'
