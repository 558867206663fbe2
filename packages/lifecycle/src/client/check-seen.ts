import type { SlotPool } from '@procref/core'
import { GuardianBlindError } from '../errors.ts'
import type { ServerRecord } from '../state/server-record.ts'

/** Throws `GuardianBlindError` unless the guardian that wrote the record sees the slots of this pool. */
export function checkSeen(pool: SlotPool, { backend, guardian }: ServerRecord, dir: string): void {
  if (pool.isSeenBy === undefined || pool.isSeenBy(backend.name)) return
  throw new GuardianBlindError({ dir, pid: guardian.pid, backend: backend.name, ours: pool.backend })
}
