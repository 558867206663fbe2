import { connect as connectWith, type Lease, type ConnectOptions as LifecycleOptions } from '@procref/lifecycle'
import { resolveBackend } from './backends.ts'
import { defaultDriver } from './drivers.ts'

/** As the lifecycle's, but backend and driver are found when they are left out. */
export type ConnectOptions = Omit<LifecycleOptions, 'backend' | 'driver'> &
  Partial<Pick<LifecycleOptions, 'backend' | 'driver'>>

/**
 * One line to a working shared SurrealDB: `await using lease = await connect()`.
 *
 * Guarantee, what is unspecified and the caller's duty: as `connect` of @procref/lifecycle. Without `driver` whatever server runs
 * in the directory already is joined.
 */
export async function connect(options: ConnectOptions = {}): Promise<Lease> {
  return await connectWith({
    ...options,
    backend: options.backend ?? (await resolveBackend()),
    driver: options.driver ?? defaultDriver(),
    ...(options.driver === undefined && { whenDifferent: options.whenDifferent ?? 'join' }),
  })
}
