import { connect as connectWith, type Lease, type ConnectOptions as LifecycleOptions } from '@procref/lifecycle'
import { resolveService, type ServiceQuestion } from './service.ts'

/** As the lifecycle's, but backend and server are found when they are left out, and may be given by name. */
export type ConnectOptions = ServiceQuestion & Pick<LifecycleOptions, 'namespace' | 'database'>

/**
 * One line to a working shared SurrealDB: `await using lease = await connect()`.
 *
 * Guarantee, what is unspecified and the caller's duty: as `connect` of @procref/lifecycle. Without `driver`, `storage` and
 * `port` whatever server runs in the directory already is joined.
 */
export async function connect(options: ConnectOptions = {}): Promise<Lease> {
  return await connectWith({ ...options, ...(await resolveService(options)) })
}
