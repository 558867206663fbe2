export type { LeasedServer, ReconnectEvent, ServiceLease } from './client/lease.ts'
export type { Progress, SharedServiceOptions } from './client/options.ts'
export { sharedService } from './client/shared-service.ts'
export type {
  Credentials,
  Endpoint,
  EngineIdentity,
  LaunchContext,
  RunningServer,
  ServerDetails,
  ServerDriver,
  ServerEnd,
  ServerProcess,
  SpawnPlan,
} from './driver.ts'
export { type CommandOptions, command } from './drivers/command.ts'
export { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from './drivers/default-database.ts'
export {
  CredentialsRefusedError,
  DatabaseLockedError,
  ExecutableNotFoundError,
  ServerExitedError,
  ServerNotReadyError,
  ServerSpawnError,
} from './drivers/errors.ts'
export { type SurrealBinaryOptions, surrealBinary } from './drivers/surreal-binary.ts'
export { checkSurrealData, type Storage, saysDatabaseLocked } from './drivers/surreal-data.ts'
export {
  ConfigMismatchError,
  ConnectTimeoutError,
  CredentialsMissingError,
  DataEngineMismatchError,
  DirectoryGoneError,
  ForeignNamespaceError,
  GuardianBlindError,
  GuardianLaunchError,
  InsideGuardianError,
  KeeperLaunchError,
  KeeperUnreachableError,
  LeaseLostError,
  NewerDataError,
  NewerProtocolError,
  PortTakenError,
  ServerCrashLoopError,
  ServerFailedError,
  ServerLockHeldError,
  StoppedOnRequestError,
  StopTimeoutError,
  StrangerOnPortError,
} from './errors.ts'
export { type ServerBinding, serverBinding } from './guardian/spawn-server.ts'
export { type Inspection, inspect, readRunningServer } from './inspect.ts'
export { lookAtSlots, type SlotsSeen } from './inspect-slots.ts'
export { endKeeper, type KeepOptions, keepServer } from './keeper/keep.ts'
export type { KeeperSeen } from './keeper/keeper-file.ts'
export { type DirectoryMove, GuardianRunsError, hindrancesOfMove, moveDirectory, noteMoved } from './move-directory.ts'
export { requestStop, StillInUseError, type StopOptions } from './request-stop.ts'
export { type DirectoryConfig, readConfigFile } from './state/config-file.ts'
export { readCredentials } from './state/credentials.ts'
export { readEngineRecord } from './state/engine-record.ts'
export { type JournalEntry, readJournal } from './state/journal.ts'
export { defaultDirectory, type Layout, layout } from './state/layout.ts'
export { tailServerLog } from './state/server-log.ts'
export { isUpState, readServerRecord, type ServerRecord, type ServerState } from './state/server-record.ts'
export { type ConnectOptions, connect, type Lease } from './surreal/connect.ts'
export type { WaitDescriptor } from './wait/wait.ts'
