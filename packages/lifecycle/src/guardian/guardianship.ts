import type { SlotBackend, SlotPool } from '@procref/core'
import type { ServerDriver } from '../driver.ts'
import type { Journal, JournalEvent, JournalReason } from '../state/journal.ts'
import type { Layout } from '../state/layout.ts'
import type { Chronicle, RecordChange } from './chronicle.ts'
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

type Noted = Pick<Guardianship, 'journal' | 'setup' | 'chronicle'>

/**
 * Records a step that is about to be taken, then notes it: no write, no act, and no line of what was never begun. Throws as
 * `Chronicle.write` does.
 */
export function announce(
  g: Noted,
  change: RecordChange,
  event: JournalEvent['event'],
  reason: JournalReason,
  evidence?: JournalEvent['evidence'],
): void {
  g.chronicle.write(change)
  note(g, event, reason, evidence)
}

/**
 * Notes what has come about, then records it: it is true whether or not it can be recorded, and whoever reads the state finds
 * the line that explains it (unless the journal could not be written). Throws as `Chronicle.write` does.
 */
export function establish(
  g: Noted,
  change: RecordChange,
  event: JournalEvent['event'],
  reason: JournalReason,
  evidence?: JournalEvent['evidence'],
): void {
  g.chronicle.verifyOffice()
  note(g, event, reason, evidence)
  g.chronicle.write(change)
}

/** One line in the journal, with this guardian's life and the server's in it. */
export function note(
  g: Noted,
  event: JournalEvent['event'],
  reason: JournalReason,
  evidence?: JournalEvent['evidence'],
): void {
  const { epoch } = g.chronicle.current
  g.journal.append({ event, reason, epoch, nonce: g.setup.nonce, ...(evidence && { evidence }) })
}
