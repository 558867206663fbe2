import { existsSync } from 'node:fs'
import { type FileLock, type FileLocker, ProcrefError } from '@procref/core'
import { probeAlive } from './client/look.ts'
import { ServerLockHeldError } from './errors.ts'
import { lockUntil } from './guardian/election.ts'
import type { Layout } from './state/layout.ts'
import { readServerRecord, type ServerRecord } from './state/server-record.ts'

/** A guardian that is through, or that was killed, is gone within this time: the kernel gives up its locks one by one, the last descriptor first. */
const LEAVING_MS = 5_000

/** A guardian runs, or somebody else needs the directory without one: the lock that makes one is held. */
export class GuardianRunsError extends ProcrefError {
  readonly dir: string
  readonly pid: number | undefined
  /** `undone`: what cannot be done meanwhile, to complete "…, and …". */
  constructor(dir: string, path: string, pid: number | undefined, undone: string) {
    super(
      'PROCREF_GUARDIAN_RUNS',
      `${path} is held, by a guardian${pid === undefined ? '' : ` (pid ${pid}, as it recorded)`} or by another command that keeps guardians away, and ` +
        `${undone}. Wait until the server has stopped, or end it with \`procref stop\`, then do it again.`,
    )
    this.dir = dir
    this.pid = pid
  }
}

/**
 * Runs `act` while no guardian can come up and no server runs, whatever they were started by.
 *
 * Throws `GuardianRunsError` (`undone` says what cannot be done under it), `ServerLockHeldError`, and then `act` was not called.
 * Caller: a new guardian asks for the lock for 5 s, and leaves as the loser when `act` takes longer; its client then launches another one.
 */
export async function whileServerless<T>(
  locks: FileLocker,
  paths: Layout,
  undone: string,
  act: () => T | Promise<T>,
): Promise<T> {
  const deadline = performance.now() + (isLeaving(locks, paths) ? LEAVING_MS : 0)
  const guardian = await lockUntil(locks, paths.guardianLock, deadline)
  if (guardian === undefined) throw guardianRuns(paths, undone)
  try {
    const server = await holdServerLock(locks, paths, deadline)
    try {
      return await act()
    } finally {
      server?.release()
    }
  } finally {
    guardian.release()
  }
}

/** With the pid that was recorded, for people. */
export function guardianRuns(paths: Layout, undone: string): GuardianRunsError {
  return new GuardianRunsError(paths.root, paths.guardianLock, recordedGuardian(paths), undone)
}

/** Where there are no data there is no server either. */
async function holdServerLock(locks: FileLocker, paths: Layout, deadline: number): Promise<FileLock | undefined> {
  if (!existsSync(paths.data)) return undefined
  const server = await lockUntil(locks, paths.serverLock, deadline)
  if (server !== undefined) return server
  const reason = 'a server whose guardian is gone; the next guardian ends it'
  throw new ServerLockHeldError({ path: paths.serverLock, holders: [], reason })
}

/** The last guardian has nothing to do any more, or has lost the first of its locks. */
function isLeaving(locks: FileLocker, paths: Layout): boolean {
  const record = recorded(paths)
  if (record === undefined) return false
  const { state, nonce } = record
  return state === 'stopped' || state === 'failed' || probeAlive(locks, paths.aliveLock(nonce)) === 'absent'
}

function recordedGuardian(paths: Layout): number | undefined {
  return recorded(paths)?.guardian.pid
}

/** What only decides how long to wait, and what a message says. */
function recorded(paths: Layout): ServerRecord | undefined {
  try {
    return readServerRecord(paths.serverJson)
  } catch {
    return undefined
  }
}
