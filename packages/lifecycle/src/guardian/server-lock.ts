import { type FileLock, isSameProcess, type SlotBackend, sameNamespaces } from '@procref/core'
import { pause } from '../delay.ts'
import { ForeignNamespaceError, type LockHolder, ServerLockHeldError } from '../errors.ts'
import { describeProcess, serverLockHolders } from '../identity/server-lock-holders.ts'
import { signalSame } from '../identity/signal.ts'
import type { Layout } from '../state/layout.ts'
import type { ServerRecord } from '../state/server-record.ts'
import { lockUntil } from './election.ts'

/** A killed process may take this long to let go (it writes back, it is in the kernel); before that nothing is judged. */
const LET_GO_MS = 10_000
/** A guardian notices with its next beat that it has lost its office, and stops its server, which can take 25 s. */
const USURPED_MS = 30_000
const LOOK_MS = 100
/** Somebody that was just ending, or just becoming another program, could not be told from a stranger. */
const LAST_LOOK_MS = 1_000

/**
 * Holds `server.lock`: proof that no server uses the data directory. What still holds it after 10 s is finished off if, and
 * only if, it is provably a server of this directory (it has the file open, and is recorded here or carries a nonce that is).
 *
 * Throws `ServerLockHeldError` naming the holder when it is anybody else or the recorded guardian lives, or the recorded server still runs
 * without the lock;
 * `ForeignNamespaceError` when it was started in another container and so cannot be seen or signalled from here.
 */
export async function obtainServerLock(
  { locks, processes }: Pick<SlotBackend, 'locks' | 'processes'>,
  layout: Layout,
  previous: ServerRecord | undefined,
  killed: (pid: number) => void,
): Promise<FileLock> {
  const first = await lockUntil(locks, layout.serverLock, performance.now() + LET_GO_MS)
  if (first !== undefined) return await onceUnused(first, layout, previous)
  if (previous !== undefined) {
    if (!sameNamespaces(previous.guardian))
      throw new ForeignNamespaceError({ dir: layout.root, pid: previous.guardian.pid })
    // After a restart by the same guardian the recorded one is ourselves, and no hindrance.
    if (previous.guardian.pid !== process.pid && isSameProcess(previous.guardian))
      throw held(layout, [describeProcess(previous.guardian.pid)], 'the guardian recorded before, which still runs')
  }
  const strangers: LockHolder[] = []
  for (const { orphan, ...holder } of await serverLockHolders(layout, previous)) {
    const { pid } = holder
    if (orphan === undefined) strangers.push(holder)
    else if (signalSame(orphan, 'SIGKILL', processes)) {
      killed(pid)
    }
  }
  const patience = strangers.length > 0 ? LAST_LOOK_MS : LET_GO_MS
  const second = await lockUntil(locks, layout.serverLock, performance.now() + patience)
  if (second !== undefined) return await onceUnused(second, layout, previous)
  if (strangers.length > 0) throw held(layout, strangers, 'processes that were not started from this directory')
  throw held(layout, [], 'a process that cannot be seen from here')
}

/**
 * The lock proves nothing of a server whose lock file was deleted under it. The recorded one is waited for as long as it runs: its guardian
 * has lost its office with the same files, and is about to stop it.
 */
async function onceUnused(lock: FileLock, layout: Layout, previous: ServerRecord | undefined): Promise<FileLock> {
  try {
    await untilUnused(layout, previous)
    return lock
  } catch (error) {
    // Or our own next attempt would be refused it.
    lock.release()
    throw error
  }
}

async function untilUnused(layout: Layout, previous: ServerRecord | undefined): Promise<void> {
  const deadline = performance.now() + USURPED_MS
  const recorded = [previous?.server, previous?.previous?.server].filter((server) => server !== undefined)
  for (;;) {
    const running = recorded.find((server) => server.pid !== process.pid && isSameProcess(server))
    if (running === undefined) return
    if (performance.now() >= deadline)
      throw held(layout, [describeProcess(running.pid)], 'the server recorded before, whose lock file was deleted')
    await pause(LOOK_MS)
  }
}

function held(layout: Layout, holders: readonly LockHolder[], reason: string): ServerLockHeldError {
  return new ServerLockHeldError({ path: layout.serverLock, holders, reason })
}
