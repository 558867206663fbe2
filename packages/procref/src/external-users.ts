import type { SlotInfo } from '@procref/core'
import { type Layout, lookAtSlots } from '@procref/lifecycle'
import { resolveBackend } from './choose-backend.ts'

/** Those who use a server elsewhere (`external()`) through this directory's slots for that. */
export interface ExternalUsers {
  readonly slots: number
  /** Who holds such a slot now; the label ends with the server's address. Only `slot` is certain. */
  readonly holders: readonly SlotInfo[]
}

/**
 * Found by probing; makes nothing. `null` in a directory that nobody has used in this way. The backend is the folder's own: `--backend` is
 * about the directory's server.
 */
export async function lookAtExternalUsers({ externalSlots }: Layout): Promise<ExternalUsers | null> {
  const { size, held } = await lookAtSlots(await resolveBackend(undefined, externalSlots), externalSlots)
  return size === undefined ? null : { slots: size, holders: held }
}

/** One line, without what `ps` shows of each. */
export function viewExternalUsers({ slots, holders }: ExternalUsers): string {
  return `${holders.length} of ${slots} slots in use for servers elsewhere (external())`
}
