import type { Surreal } from 'surrealdb'
import type { ServiceSettings } from '../service.ts'

/** The exported function `open` of a module in `services/clients/`. */
export type OpenClient<S extends ServiceSettings = ServiceSettings> = (dir: string, settings: S) => ServiceClient

/** What a program that uses a service has of it. */
export interface ServiceClient {
  /** Resolves once it is signed in, on its namespace and database. */
  connect(): Promise<ServiceConnection>
}

export interface ServiceConnection {
  readonly db: Surreal
  /** The process that serves, where there is one. */
  readonly server?: number
  readonly guardian?: number
  /** How the bare SDK comes to the same server. */
  readonly login?: Login
  close(): Promise<void>
}

export interface Login {
  readonly url: string
  readonly user: string
  readonly password: string
}
