import type { Descriptor } from '@procref/core'
import type { ServiceSettings } from '../state/server-record.ts'

/** Everything a guardian is told by the client that launches it, as JSON on its command line: no secret may be in it. */
export interface GuardianSetup {
  readonly dir: string
  /** The identity of this guardian's life; its alive lock and its server carry it. */
  readonly nonce: string
  readonly backend: Descriptor
  readonly driver: Descriptor
  readonly settings: ServiceSettings
  readonly launchedBy: { readonly pid: number; readonly label?: string }
}

/**
 * What a new guardian answers over its status pipe, one line, after which it closes the pipe.
 * `hello`: it holds the locks and `starting` is written. `loser`: another guardian holds `guardian.lock`.
 */
export type GuardianStatus = { readonly kind: 'hello'; readonly epoch: number } | { readonly kind: 'loser' }
