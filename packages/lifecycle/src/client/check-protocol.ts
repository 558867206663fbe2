import { OlderProtocolError } from '../errors.ts'
import { OLDEST_PROTOCOL } from '../state/protocols.ts'
import type { ServerRecord } from '../state/server-record.ts'

/**
 * Throws `OlderProtocolError` unless the guardian that wrote the record speaks `needed`, or a later protocol. That it does not speak only
 * newer ones than ours is what reading the record has checked.
 */
export function checkProtocol(record: ServerRecord, dir: string, needed: number = OLDEST_PROTOCOL): void {
  const found = record.newestProtocol ?? record.protocol
  if (found >= needed) return
  throw new OlderProtocolError({ dir, guardianPid: record.guardian.pid, found, needed, version: record.procref })
}
