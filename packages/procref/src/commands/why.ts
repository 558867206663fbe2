import { type JournalEntry, readJournal } from '@procref/lifecycle'
import type { Colors } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { resolvePlace } from '../place.ts'
import type { LookOptions } from './status.ts'

export interface WhyOptions extends LookOptions {
  readonly last: number
}

/** The last events, oldest first; the entries of the journal as they are. */
export function readWhy(options: WhyOptions): readonly JournalEntry[] {
  return readJournal(resolvePlace(options.dir).journal, { last: options.last })
}

export function viewWhy(entries: readonly JournalEntry[], colors: Colors): string {
  if (entries.length === 0) return 'nothing has happened here yet'
  return formatTable(
    entries.map((entry) => [
      colors.dim(entry.at),
      entry.epoch === undefined ? '' : `epoch ${entry.epoch}`,
      entry.event,
      entry.reason,
      entry.evidence === undefined ? '' : colors.dim(JSON.stringify(entry.evidence)),
    ]),
  )
}
