import type { Descriptor } from '@procref/core'
import type { SharedServiceOptions } from '../client/options.ts'

/** The settings of a lease that survive JSON. */
export type KeeperLeaseOptions = Pick<
  SharedServiceOptions,
  'slots' | 'lingerMs' | 'port' | 'timeoutMs' | 'whenDifferent' | 'whenOlder' | 'allowUnsafeFilesystem'
>

/** Everything a keeper is told, as JSON on its command line: no secret may be in it. */
export interface KeeperSetup extends KeeperLeaseOptions {
  readonly dir: string
  readonly backend: Descriptor
  readonly driver: Descriptor
  readonly label: string
}

/** What a new keeper answers. `kept`: it has its lease; `already-kept`: another keeper holds the lock. */
export type KeeperStatus = { readonly kind: 'kept' } | { readonly kind: 'already-kept' }
