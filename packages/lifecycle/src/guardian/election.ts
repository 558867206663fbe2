import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { FileLock, FileLocker } from '@procref/core'
import { pause } from '../delay.ts'
import type { Layout } from '../state/layout.ts'

/** How long a new guardian asks for `guardian.lock` before it leaves as the loser: the old one may be in its last step. */
const ELECTION_MS = 5_000
const RETRY_MS = 50

/** What makes a process the guardian of a directory, held until it ends: death frees both. */
export interface Office {
  /** Only guardians ever try this lock, only exclusively, so that nobody who probes can keep a guardian from it. */
  readonly guardianLock: FileLock
  /** What everybody else probes; made anew by each guardian, so that a stopped prober of an old one blocks nobody. */
  aliveLock: FileLock
}

/**
 * Holds `guardian.lock`, then a new alive lock. `undefined`: another guardian holds the office.
 * Caller: keep both until the process ends; check `guardianLock.isCurrent()` before each act.
 */
export async function electGuardian(locks: FileLocker, layout: Layout, nonce: string): Promise<Office | undefined> {
  const deadline = performance.now() + ELECTION_MS
  const guardianLock = await lockUntil(locks, layout.guardianLock, deadline)
  if (guardianLock === undefined) return undefined
  const aliveLock = await holdAlive(locks, layout, nonce)
  // Whoever was stopped since may find the next guardian in office, whose alive file is not ours to remove.
  if (!guardianLock.isCurrent()) {
    aliveLock.release()
    guardianLock.release()
    return undefined
  }
  removeOtherAliveFiles(locks, layout, nonce)
  return { guardianLock, aliveLock }
}

/** The alive lock under this nonce: nobody else can want it, so a refusal is a prober and passes. */
export async function holdAlive(locks: FileLocker, layout: Layout, nonce: string): Promise<FileLock> {
  const lock = await lockUntil(locks, layout.aliveLock(nonce), Number.POSITIVE_INFINITY)
  if (lock === undefined) throw new Error('unreachable: no deadline')
  return lock
}

/** Tries, never waits in the kernel; a lock on a file that is no longer at the path excludes nobody and is dropped. */
export async function lockUntil(locks: FileLocker, path: string, deadline: number): Promise<FileLock | undefined> {
  for (;;) {
    const lock = locks.tryLock(path)
    if (lock?.isCurrent()) return lock
    lock?.release()
    if (performance.now() >= deadline) return undefined
    await pause(RETRY_MS * (0.5 + Math.random()))
  }
}

/** Predecessors' alive files: `guardian.lock` is ours, so they are dead, or usurped and about to find out. */
function removeOtherAliveFiles(locks: FileLocker, layout: Layout, nonce: string): void {
  const own = layout.aliveLock(nonce)
  for (const name of readdirSync(layout.root)) {
    if (nonceOfAliveFile(name) === undefined) continue
    const path = join(layout.root, name)
    if (path === own) continue
    removeIfThere(path)
    locks.discard?.(path)
  }
}

/** Whose alive lock a file of the directory is; `undefined`: none. */
export function nonceOfAliveFile(name: string): string | undefined {
  return /^alive-([\w-]+)\.lock$/.exec(name)?.[1]
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
