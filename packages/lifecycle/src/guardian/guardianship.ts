import type { SlotBackend, SlotPool } from '@procref/core'
import type { ServerDriver } from '../driver.ts'
import type { Journal, JournalEvent, JournalReason } from '../state/journal.ts'
import type { Layout } from '../state/layout.ts'
import type { Chronicle } from './chronicle.ts'
import type { Office } from './election.ts'
import type { GuardianSetup } from './setup.ts'
import type { Wake } from './wake.ts'

/** What the parts of one guardian share. */
export interface Guardianship {
  readonly setup: GuardianSetup
  readonly paths: Layout
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  readonly pool: SlotPool
  readonly office: Office
  readonly chronicle: Chronicle
  readonly journal: Journal
  readonly wake: Wake
  /** Aborted by SIGTERM, SIGINT or SIGHUP. */
  readonly told: AbortSignal
  readonly logFd: number
}

/** One line in the journal, with this guardian's life and the server's in it. */
export function note(
  g: Pick<Guardianship, 'journal' | 'setup' | 'chronicle'>,
  event: JournalEvent['event'],
  reason: JournalReason,
  evidence?: JournalEvent['evidence'],
): void {
  const { epoch } = g.chronicle.current
  g.journal.append({ event, reason, epoch, nonce: g.setup.nonce, ...(evidence && { evidence }) })
}
