import { join } from 'node:path'
import { errnoOf, type FileLocker, type ProtocolPin, readProtocolPin, slotsFolder } from '@procref/core'
import { type Layout, probeAlive, readServerRecord, type ServerRecord } from '@procref/lifecycle'
import { KNOWN_BACKENDS } from '../backends.ts'
import { chooseBackend } from '../choose-backend.ts'
import { type EntryState, isOurs, lookAtEntry } from './entry.ts'
import type { PoolSeen, PoolsSeen } from './pools.ts'

/** What a look brought, or why it failed: one failed look must not keep the others from being taken. */
export type Attempt<T> = { readonly value: T } | { readonly error: unknown }

/** What several checks want to know, found out once. Its own pool's locks are those of the directory, too. */
export interface Surroundings extends PoolsSeen {
  readonly paths: Layout
  readonly root: EntryState
  readonly record: Attempt<ServerRecord | undefined>
  /** What the kernel says of the alive lock of the guardian that wrote the record. `unknown` also where it cannot be asked. */
  readonly guardian: 'alive' | 'absent' | 'unknown'
}

export async function lookAround(paths: Layout, askedBackend: string | undefined): Promise<Surroundings> {
  const root = lookAtEntry(paths.root, 'directory')
  const usable = isUsable(root)
  const own = await lookAtPool('own', paths, usable, askedBackend)
  // What was asked for is about the directory's own server.
  const elsewhere =
    usable && lookAtEntry(paths.externalSlots, 'directory').kind !== 'missing'
      ? await lookAtPool('elsewhere', paths, usable, undefined)
      : undefined
  const record = await attempt(() => (usable ? readServerRecord(paths.serverJson) : undefined))
  return { ...own, elsewhere, paths, root, record, guardian: probeRecorded(own.locks, paths, record) }
}

async function lookAtPool(
  of: PoolSeen['of'],
  paths: Layout,
  usable: boolean,
  askedBackend: string | undefined,
): Promise<PoolSeen> {
  const folder = of === 'own' ? paths.slots : paths.externalSlots
  const pin = await attempt(() => (usable ? readProtocolPin(folder) : undefined))
  const selection = await attempt(() => chooseBackend({ name: askedBackend, slotsDir: folder }))
  const locks = await locksThatWork(paths, pin)
  const slotsDir = 'value' in pin && pin.value !== undefined ? slotsFolder(folder, pin.value) : folder
  return { of, folder, pin, slotsDir, selection, locks }
}

/** A directory that can be looked into without being led, or lied to, by somebody else. */
export function isUsable(root: EntryState): boolean {
  return isOurs(root) && root.kind !== 'closed-to-owner'
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

/**
 * Of the backends that speak the directory's protocol the first whose locks work, whatever keeps its slots from being used (a link, a mode, a
 * damaged file): that is what is to be looked at.
 */
async function locksThatWork(paths: Layout, pin: Attempt<ProtocolPin | undefined>): Promise<FileLocker | undefined> {
  const protocol = 'value' in pin ? pin.value?.protocol : undefined
  const speakers = KNOWN_BACKENDS.filter((known) => known.protocol === protocol)
  for (const { load } of speakers.length > 0 ? speakers : KNOWN_BACKENDS.filter(({ byDefault }) => byDefault)) {
    const backend = await attempt(load)
    if ('value' in backend && works(backend.value.locks, paths)) return backend.value.locks
  }
  return undefined
}

/** Its native part is there if it finds out that there is nothing to look at. */
function works(locks: FileLocker, paths: Layout): boolean {
  try {
    locks.watch(join(paths.root, 'there', 'is', 'no', 'such.lock')).close()
    return true
  } catch (error) {
    return errnoOf(error) !== undefined && errnoOf(error) !== 'ENOSYS'
  }
}

function probeRecorded(
  locks: FileLocker | undefined,
  paths: Layout,
  record: Attempt<ServerRecord | undefined>,
): Surroundings['guardian'] {
  if ('error' in record || record.value === undefined) return 'absent'
  try {
    return locks === undefined ? 'unknown' : probeAlive(locks, paths.aliveLock(record.value.nonce))
  } catch {
    // A link, another user's file: the check of the files says it.
    return 'unknown'
  }
}
