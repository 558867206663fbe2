import { leadsElsewhere } from '@procref/core'
import type { ServerRecord, ServerRecordFile } from '../state/server-record.ts'
import type { Office } from './election.ts'

/** `guardian.lock` is not ours any more (somebody deleted it, another guardian rules): touch nothing but our own child. */
export class UsurpedError extends Error {}

/** What of the record is to be replaced; an `undefined` removes the field. */
export type RecordChange = { readonly [K in keyof ServerRecord]?: ServerRecord[K] | undefined }

/**
 * The guardian's own view of `server.json`, and the only way it is written: what is on disk is what was decided, because a
 * write that fails leaves both as they were. No write, no act.
 */
export class Chronicle {
  readonly #file: ServerRecordFile
  readonly #office: Office
  #current: ServerRecord

  constructor(file: ServerRecordFile, office: Office, initial: ServerRecord) {
    this.#file = file
    this.#office = office
    this.#current = initial
  }

  get current(): ServerRecord {
    return this.#current
  }

  /** Throws `UsurpedError` when this process is the guardian no longer, and the system's error when that cannot be told. */
  verifyOffice(): void {
    if (leadsElsewhere(this.#office.guardianLock)) throw new UsurpedError()
  }

  /**
   * Writes the record with `change` applied. Throws when it could not be written; on a full disk `use-reserve` takes of
   * what `reserve` has set aside.
   */
  write(change: RecordChange, reserve: 'use-reserve' | 'keep-reserve' = 'use-reserve'): void {
    this.verifyOffice()
    const next: Record<string, unknown> = { ...this.#current, ...change, at: new Date().toISOString() }
    for (const [key, value] of Object.entries(next)) if (value === undefined) delete next[key]
    const record = next as unknown as ServerRecord
    this.#file.write(record, reserve)
    this.#current = record
  }

  /** Prepares the next write so that it needs no new disk space. Failing is no harm. */
  reserve(): void {
    this.verifyOffice()
    this.#file.reserve()
  }
}
