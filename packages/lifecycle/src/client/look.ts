import type { FileLocker } from '@procref/core'
import type { Layout } from '../state/layout.ts'
import { isUpState, readServerRecord, type ServerRecord } from '../state/server-record.ts'

/**
 * What can be known of the server at this moment. `guardian` is what the kernel says of the alive lock of the guardian that
 * wrote the record; `absent` without a record. Only with `alive` does the record's state mean anything.
 */
export interface View {
  readonly record: ServerRecord | undefined
  readonly guardian: 'alive' | 'absent' | 'unknown'
}

/** Reads `server.json` and probes the alive lock it names. Throws `NewerProtocolError`. */
export function look(locks: FileLocker, paths: Layout): View {
  const record = readServerRecord(paths.serverJson)
  return { record, guardian: record === undefined ? 'absent' : probeAlive(locks, paths.aliveLock(record.nonce)) }
}

/** Does the guardian that made this lock file still live? A file that is not there is held by nobody. */
export function probeAlive(locks: FileLocker, path: string): View['guardian'] {
  try {
    const watch = locks.watch(path)
    try {
      const state = watch.probe()
      return state === 'held' ? 'alive' : state === 'free' ? 'absent' : 'unknown'
    } finally {
      watch.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent'
    throw error
  }
}

/** Is there a server to talk to? */
export function isUp(view: View): view is View & { readonly record: ServerRecord } {
  return view.guardian === 'alive' && view.record !== undefined && isUpState(view.record.state)
}

/** The record says that nothing will come of this epoch: it failed, or somebody asked for its end. */
export function hasEnded(record: ServerRecord): boolean {
  return (
    record.state === 'failed' ||
    (record.by === 'request' && (record.state === 'stopping' || record.state === 'stopped'))
  )
}
