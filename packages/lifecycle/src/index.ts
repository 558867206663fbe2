export type { LeasedServer, ServiceLease } from './client/lease.ts'
export type { Progress, SharedServiceOptions } from './client/options.ts'
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
