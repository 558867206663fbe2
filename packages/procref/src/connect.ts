import {
  connect as connectWith,
  type ExternalServer,
  type Lease,
  type LeasedServer,
  type ConnectOptions as LifecycleOptions,
} from '@procref/lifecycle'
import { type ExternalQuestion, isExternal, resolveExternal } from './external.ts'
import { resolveService, type ServiceQuestion } from './service.ts'

/** As the lifecycle's, but backend and server are found when they are left out, and may be given by name. */
export type ConnectOptions = ServiceQuestion & Pick<LifecycleOptions, 'namespace' | 'database'>

/**
 * One line to a working shared SurrealDB: `await using lease = await connect()`.
 *
 * Guarantee, what is unspecified and the caller's duty: as `connect` of @procref/lifecycle. Without `driver`, `storage` and
 * `port` whatever server runs in the directory already is joined. With `driver: external({ url, credentials })` it is a server
 * elsewhere, and nothing is started.
 */
export function connect(options?: ConnectOptions): Promise<Lease>
export function connect(options: ExternalQuestion): Promise<Lease<ExternalServer>>
export function connect(options?: ConnectOptions | ExternalQuestion): Promise<Lease<LeasedServer | ExternalServer>>
export async function connect(
  options: ConnectOptions | ExternalQuestion = {},
): Promise<Lease<LeasedServer | ExternalServer>> {
  if (isExternal(options)) return await connectWith(await resolveExternal(options))
  return await connectWith({ ...options, ...(await resolveService(options)) })
}
