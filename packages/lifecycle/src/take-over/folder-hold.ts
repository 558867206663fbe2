import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { identify, isSameProcess } from '@procref/core'
import type { LockHolder } from '../errors.ts'
import { holdersOf } from '../identity/file-holders.ts'
import { isEnding } from '../identity/is-ending.ts'
import { describeProcess } from '../identity/server-lock-holders.ts'
import { removeFile } from '../state/atomic-file.ts'
import { ensureCredentials } from '../state/credentials.ts'
import { layout } from '../state/layout.ts'
import { FolderInUseError } from './errors.ts'
import { type Folder, LOCK_FILE } from './folder.ts'
import { type TemporaryService, whileServing } from './while-serving.ts'
import { secondName } from './workplace.ts'

/**
 * Runs `act` while no SurrealDB can open the database in the folder, in whatever container or as whatever user it runs.
 *
 * SurrealDB keeps others from its data by a lock on the file LOCK in the folder (RocksDB a POSIX lock, SurrealKV flock). Locks
 * belong to files, not to names: so a server is started on a new, empty database in `dir` (the workplace, on the same file system) whose LOCK is a
 * second name of the folder's. It has the lock if it comes up, and does not if somebody else has it.
 *   WRONG: to look who has the file open, and go on: not all processes can be seen, and one may come right after.
 *   WRONG: to start the server on the folder itself: it rewrites files before anybody knows whether it should.
 *
 * Guarantee: nothing in the folder is changed; a LOCK that was not there is removed again, while ours is still held, so that nobody's is. Throws `FolderInUseError`, naming
 * who it is where that can be seen, without calling `act`. Caller: `verifyHeld()` right before what must not happen without the lock: it throws when the
 * server that has it has died.
 */
export async function whileFolderHeld<T>(
  folder: Pick<Folder, 'path'>,
  service: TemporaryService,
  act: (verifyHeld: () => void) => Promise<T>,
): Promise<T> {
  const paths = layout(service.dir)
  mkdirSync(paths.data, { mode: 0o700 })
  // Before the second name is in the database's folder, beside which no password is made anew.
  ensureCredentials(paths)
  mkdirSync(paths.database, { mode: 0o700 })
  const lockFile = join(folder.path, LOCK_FILE)
  const isNew = makeIfMissing(lockFile)
  secondName(folder, lockFile, join(paths.database, LOCK_FILE))
  // Seen now: afterwards our own server is among them.
  const holders = await lockHolders(lockFile)
  let isHeld = false
  try {
    return await whileServing(service, async ({ lease }) => {
      isHeld = true
      const holder = identify(lease.server.pid)
      const verifyHeld = (): void => {
        // It would have been brought back, but whoever came between had the lock.
        if (holder === undefined || isEnding(holder.pid) || !isSameProcess(holder))
          throw new FolderInUseError(folder.path, [])
      }
      try {
        return await act(verifyHeld)
      } finally {
        // The folder may have been moved away meanwhile, and the lock file with it.
        if (isNew) removeFile(lockFile)
      }
    })
  } catch (error) {
    if (isHeld || (error as { code?: unknown }).code !== 'PROCREF_DATABASE_LOCKED') throw error
    throw new FolderInUseError(folder.path, holders, { cause: error })
  }
}

/** SurrealKV removes it at an orderly end. */
function makeIfMissing(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function lockHolders(path: string): Promise<readonly LockHolder[]> {
  const { holders } = await holdersOf(statSync(path, { bigint: true }))
  return [...new Set(holders.map(({ pid }) => pid))].map(describeProcess)
}
