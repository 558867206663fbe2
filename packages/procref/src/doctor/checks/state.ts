import { readServerRecord, type ServerRecord } from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'
import { settled } from '../settle.ts'

/** How much of the log a failure shows; `procref logs` has more. */
const LOG_LINES = 5

/** `server.json`: can it be read, and does it say that the last start failed? */
export const state: Check = {
  id: 'state',
  looksAt: 'server.json: readable, known, not failed',
  where: 'inside',
  async examine({ paths, guardian }) {
    const entry = lookAtEntry(paths.serverJson, 'file')
    if (entry.kind === 'missing') {
      return { found: 'none: no server was ever started here, or it was deleted', findings: [] }
    }
    // Said by the check of the files.
    if (!isOurs(entry)) return { found: 'not to be used', findings: [] }
    // It may have been put there since it was first read, or between two of our own calls.
    const record = await settled(
      () => attempt(() => readServerRecord(paths.serverJson)),
      (read) => 'error' in read || read.value !== undefined,
    )
    if ('error' in record) return { found: 'refused', findings: [refused(paths.serverJson, record.error)] }
    if (record.value === undefined) {
      return { found: 'cannot be understood', findings: [damaged(paths.serverJson, guardian)] }
    }
    const { value } = record
    const findings = [
      ...(value.state === 'failed' && guardian === 'absent' ? [failed(paths.serverJson, value)] : []),
      ...(value.durable || guardian !== 'alive' ? [] : [notDurable(value)]),
    ]
    return {
      found: `${value.state}, epoch ${value.epoch}, ${value.driver.name} ${value.version ?? ''}`.trim(),
      findings,
    }
  },
}

function refused(path: string, error: unknown): Finding {
  const newer = (error as { readonly code?: unknown }).code === 'PROCREF_NEWER_PROTOCOL'
  return {
    code: newer ? 'newer-record' : 'record-refused',
    severity: 'problem',
    path,
    found: messageOf(error),
    why: newer
      ? 'An older procref would misunderstand what is there, so it keeps out.'
      : 'Clients learn from it where the server is; what somebody else wrote is not believed.',
    remedy: newer ? 'Update procref here, or use the one that wrote it.' : 'See the check "files".',
  }
}

function damaged(path: string, guardian: string): Finding {
  return {
    code: 'record-damaged',
    severity: 'warning',
    path,
    found: `${path} is no record of a server: it is damaged, or something else was put there.`,
    why: 'It counts as no record. Locks decide everything; only the port, the epoch and the settings of the last server are forgotten.',
    remedy:
      guardian === 'alive'
        ? 'Nothing: the guardian writes it again at its next beat (5 s).'
        : 'Nothing: the next connect() writes it anew, and a guardian that lives does so at its next beat (5 s).',
  }
}

function failed(path: string, { failure, epoch, at }: ServerRecord): Finding {
  const tail = failure?.logTail.slice(-LOG_LINES) ?? []
  const log = tail.length === 0 ? '' : `\nThe end of its log:\n${tail.map((line) => `  ${line}`).join('\n')}`
  const crashLoop = failure?.code === 'PROCREF_SERVER_CRASH_LOOP'
  return {
    code: crashLoop ? 'crash-loop' : 'failed',
    severity: 'problem',
    path,
    found: `Epoch ${epoch} failed (${at}): ${(failure?.message ?? 'no reason was recorded').split('\n')[0]}${log}`,
    why: crashLoop
      ? 'A server that ends again and again is given up, so that it does not fill the log and the disk.'
      : 'No server came of it. Who waited for it was told.',
    remedy:
      'See to the reason, then connect again: a failure binds nobody who comes later. `procref logs` and `procref why` say more.',
  }
}

function notDurable({ driver }: ServerRecord): Finding {
  return {
    code: 'not-durable',
    severity: 'note',
    found: `What the server (${driver.name}) writes does not last: ${driver.settings.storage === 'memory' ? 'its storage is memory' : 'the directory is in memory'}.`,
    why: 'When the last client leaves, the server stops, and everything is gone.',
    remedy: 'Nothing, if that is wanted; else another storage (`--storage rocksdb`), and a directory on a disk.',
  }
}
