import { readFileSync, statSync } from 'node:fs'
import { type FileLocker, identify, isSameProcess, type ProcessIdentity } from '@procref/core'
import { probeAlive } from '../client/look.ts'
import type { LockHolder } from '../errors.ts'
import type { Layout } from '../state/layout.ts'
import type { ServerRecord } from '../state/server-record.ts'
import { environmentOf, holdersOf } from './file-holders.ts'

/** A process that has `server.lock` open. */
export interface ServerLockHolder extends LockHolder {
  /** Present: it is recorded here itself, or carries a nonce that is, so it is a server of this directory, proven. */
  readonly orphan?: ProcessIdentity
}

export interface ServerLockSeen {
  readonly state: 'held' | 'free' | 'unknown'
  /** Empty where the system does not tell, and where the holder is in a container of its own. */
  readonly holders: readonly ServerLockHolder[]
}

/** Who keeps the data directory from being opened. Changes nothing. Caller: a killed process takes a while to let go; look twice. */
export async function lookAtServerLock(
  locks: FileLocker,
  layout: Layout,
  record: ServerRecord | undefined,
): Promise<ServerLockSeen> {
  const seen = probeAlive(locks, layout.serverLock)
  if (seen === 'absent') return { state: 'free', holders: [] }
  return { state: seen === 'alive' ? 'held' : 'unknown', holders: await serverLockHolders(layout, record) }
}

/** Every other process that has `server.lock` open. Caller: the file exists. */
export async function serverLockHolders(
  layout: Layout,
  record: ServerRecord | undefined,
): Promise<readonly ServerLockHolder[]> {
  const { holders } = await holdersOf(statSync(layout.serverLock, { bigint: true }))
  const pids = new Set(holders.map(({ pid }) => pid).filter((pid) => pid !== process.pid))
  return [...pids].map((pid) => {
    const orphan = provenOrphan(pid, record)
    return { ...describeProcess(pid), ...(orphan && { orphan }) }
  })
}

/** The holder's identity, if it is recorded here, or its environment carries a nonce that is: a dying process has no environment left. */
function provenOrphan(pid: number, record: ServerRecord | undefined): ProcessIdentity | undefined {
  if (record === undefined) return undefined
  const known = [record.server, record.previous?.server].find((server) => server?.pid === pid && isSameProcess(server))
  if (known !== undefined) return known
  const identity = identify(pid)
  const nonce = environmentOf(pid, 'PROCREF_INSTANCE')
  const recorded = [record.nonce, record.previous?.nonce]
  return nonce !== undefined && recorded.includes(nonce) ? identity : undefined
}

/** For messages only. */
export function describeProcess(pid: number): LockHolder {
  try {
    return { pid, program: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 2).join(' ').trim() }
  } catch {
    return { pid }
  }
}
