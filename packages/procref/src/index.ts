export type { Lease, LeasedServer, Progress, ReconnectEvent, ServerDriver } from '@procref/lifecycle'
export { command, surrealBinary } from '@procref/lifecycle'
export { type ConnectOptions, connect } from './connect.ts'
