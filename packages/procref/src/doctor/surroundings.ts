import { type FileLocker, type ProtocolPin, readProtocolPin, type SlotBackend } from '@procref/core'
import { type Layout, probeAlive, readServerRecord, type ServerRecord } from '@procref/lifecycle'
import { resolveBackend } from '../backends.ts'
import { type EntryState, lookAtEntry } from './entry.ts'

/** What a look brought, or why it failed: one failed look must not keep the others from being taken. */
export type Attempt<T> = { readonly value: T } | { readonly error: unknown }

/** What several checks want to know, found out once. */
export interface Surroundings {
  readonly paths: Layout
  /** What `--backend` said. */
  readonly askedBackend: string | undefined
  readonly root: EntryState
  readonly pin: Attempt<ProtocolPin | undefined>
  /** The backend that a command would use here. */
  readonly backend: Attempt<SlotBackend>
  readonly record: Attempt<ServerRecord | undefined>
  /** What the kernel says of the alive lock of the guardian that wrote the record. `unknown` also where it cannot be asked. */
  readonly guardian: 'alive' | 'absent' | 'unknown'
}

export async function lookAround(paths: Layout, askedBackend: string | undefined): Promise<Surroundings> {
  const root = lookAtEntry(paths.root, 'directory')
  const usable = isUsable(root)
  const backend = await attempt(() => resolveBackend(askedBackend, paths.slots))
  const record = await attempt(() => (usable ? readServerRecord(paths.serverJson) : undefined))
  return {
    paths,
    askedBackend,
    root,
    pin: await attempt(() => (usable ? readProtocolPin(paths.slots) : undefined)),
    backend,
    record,
    guardian: 'value' in backend ? probeRecorded(backend.value.locks, paths, record) : 'unknown',
  }
}

/** A directory that can be looked into without being led, or lied to, by somebody else. */
export function isUsable(root: EntryState): boolean {
  return root.kind === 'fine' || root.kind === 'open-to-others'
}

export async function attempt<T>(look: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await look() }
  } catch (error) {
    return { error }
  }
}

/** The record, if there is one that can be read; what is wrong with it is said by the check of `server.json`. */
export function recordOf(seen: Surroundings): ServerRecord | undefined {
  return 'value' in seen.record ? seen.record.value : undefined
}

/** The backend's locks, where they can be used. */
export function locksOf(seen: Surroundings): FileLocker | undefined {
  return 'value' in seen.backend ? seen.backend.value.locks : undefined
}

function probeRecorded(
  locks: FileLocker,
  paths: Layout,
  record: Attempt<ServerRecord | undefined>,
): Surroundings['guardian'] {
  if ('error' in record || record.value === undefined) return 'absent'
  try {
    return probeAlive(locks, paths.aliveLock(record.value.nonce))
  } catch {
    // A link, another user's file, no native code: the checks of the files and of the backend say it.
    return 'unknown'
  }
}
