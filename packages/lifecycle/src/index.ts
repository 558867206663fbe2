export type { LeasedServer, ReconnectEvent, ServiceLease } from './client/lease.ts'
export { probeAlive } from './client/look.ts'
export type { Progress, SharedServiceOptions } from './client/options.ts'
export { DEFAULT_TIMEOUT_MS, sharedService } from './client/shared-service.ts'
export { type DataSeen, type DeleteDataOptions, deleteData, halfDeleted, lookAtData } from './delete-data.ts'
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
export { allocatorEnvironment } from './drivers/allocator.ts'
export { type CommandOptions, command } from './drivers/command.ts'
export { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from './drivers/default-database.ts'
export {
  CredentialsRefusedError,
  DatabaseDamagedError,
  DatabaseLockedError,
  DatabasePathError,
  ExecutableFailedError,
  ExecutableNotFoundError,
  ServerArgumentsError,
  ServerExitedError,
  ServerNotReadyError,
  ServerSpawnError,
  ServerTooOldError,
} from './drivers/errors.ts'
export { findSurreal } from './drivers/find-surreal.ts'
export { type SurrealBinaryOptions, surrealBinary } from './drivers/surreal-binary.ts'
export {
  checkSurrealData,
  type Storage,
  saysDatabaseLocked,
  surrealEndpoint,
  systemTrouble,
} from './drivers/surreal-data.ts'
export {
  chooseSurreal,
  type SurrealCapabilities,
  type SurrealChoice,
  type SurrealOptions,
  type Sync,
} from './drivers/surreal-options.ts'
export { isRetryable, whyNotCommitted, writeThatLeavesNothing } from './drivers/surreal-writes.ts'
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
  OlderDataError,
  OlderProtocolError,
  PortTakenError,
  RestartTimeoutError,
  ServerCrashLoopError,
  ServerFailedError,
  ServerLockHeldError,
  StoppedOnRequestError,
  StopTimeoutError,
  StrangerOnPortError,
  UpgradeNeededError,
} from './errors.ts'
export type { ExternalConnectOptions } from './external/connect.ts'
export {
  ExternalNotSurrealError,
  ExternalRefusedError,
  ExternalTlsError,
  ExternalUnreachableError,
} from './external/errors.ts'
export { type ExternalCredentials, type ExternalDriver, type ExternalOptions, external } from './external/external.ts'
export type { ExternalServer } from './external/external-lease.ts'
export { type ServerBinding, serverBinding } from './guardian/spawn-server.ts'
export { livingGuardians, whileVacant } from './guardian/vacancy.ts'
export { type FileHolders, type FileId, holdersOf } from './identity/file-holders.ts'
export {
  type ExpectedListener,
  type ListenerProof,
  type PortUser,
  proveListener,
  whoListens,
} from './identity/listener.ts'
export { lookAtServerLock, type ServerLockHolder, type ServerLockSeen } from './identity/server-lock-holders.ts'
export { standstill } from './identity/standstill.ts'
export { type Inspection, inspect, readRunningServer } from './inspect.ts'
export { lookAtSlots, type SlotsSeen } from './inspect-slots.ts'
export { endKeeper, type KeepOptions, keepServer } from './keeper/keep.ts'
export type { KeeperSeen } from './keeper/keeper-file.ts'
export { type DirectoryMove, hindrancesOfMove, moveDirectory, noteMoved } from './move-directory.ts'
export { type RestartOptions, type RestartOutcome, requestRestart } from './request-restart.ts'
export { requestStop, StillInUseError, type StopOptions } from './request-stop.ts'
export { GuardianRunsError } from './serverless.ts'
export {
  type DirectoryConfig,
  problemOfSetting,
  readConfigFile,
  SETTING_NAMES,
  writeConfigFile,
} from './state/config-file.ts'
export { readCredentials } from './state/credentials.ts'
export { checkEngine, readEngineDriver, readEngineRecord } from './state/engine-record.ts'
export { JOURNAL_LIMIT_BYTES, Journal, type JournalEntry, readJournal } from './state/journal.ts'
export { blankTornLine, examineJournal, type JournalCondition } from './state/journal-condition.ts'
export { defaultDirectory, type Layout, layout } from './state/layout.ts'
export { listNonceFiles, type NonceFile, type NonceFiles } from './state/leftovers.ts'
export { type GuardianRequest, type RestartRequest, readRequest, type StopRequest } from './state/request-file.ts'
export { capServerLog, openServerLog, SERVER_LOG_LIMIT_BYTES, tailServerLog } from './state/server-log.ts'
export { isUpState, readServerRecord, type ServerRecord, type ServerState } from './state/server-record.ts'
export { readTakeover, type Takeover } from './state/takeover-file.ts'
export { readUpgradeConsent, type UpgradeConsent } from './state/upgrade-consent.ts'
export { type ConnectOptions, connect, type Lease } from './surreal/connect.ts'
export { connectHttp, type HttpCall, type SurrealHttp } from './surreal/connect-http.ts'
export { quoteIdentifier } from './surreal/identifier.ts'
export { retryable } from './surreal/retryable.ts'
export { SdkUnavailableError } from './surreal/sdk.ts'
export {
  DatabasePresentError,
  DataVersionUnknownError,
  FolderChangedError,
  FolderInUseError,
  FolderPasswordError,
  FolderPlaceError,
  NotADatabaseError,
} from './take-over/errors.ts'
export { type TakenOver, type TakeOverOptions, type TakeOverStep, takeOver } from './take-over/take-over.ts'
export { leftStages } from './take-over/workplace.ts'
export {
  CopyExistsError,
  copyPath,
  lookAtUpgrade,
  type PreparedUpgrade,
  type PrepareUpgradeOptions,
  prepareUpgrade,
  type UpgradeSeen,
} from './upgrade/upgrade-data.ts'
export { VERSION } from './version.ts'
export { isNewer } from './version-order.ts'
export type { WaitDescriptor } from './wait/wait.ts'
