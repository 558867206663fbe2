import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FileLocker } from '@procref/core'
import { probeAlive } from '../client/look.ts'
import type { Layout } from '../state/layout.ts'
import { nonceOfAliveFile } from './election.ts'

/**
 * Runs `act` while the directory has no guardian and cannot get one; false, and nothing was done, when somebody holds
 * `guardian.lock` or an alive lock (whose guardian may have lost its `guardian.lock` to somebody who deleted the file).
 *
 * Caller: `act` takes milliseconds. A new guardian asks for the lock for 5 s before it leaves as the loser.
 */
export function whileVacant(locks: FileLocker, layout: Layout, act: () => void): boolean {
  const lock = locks.tryLock(layout.guardianLock)
  if (lock === undefined) return false
  try {
    // In this order: a guardian that was elected before we had the lock holds its alive lock by now, or has gone.
    if (!lock.isCurrent() || livingGuardians(locks, layout).length > 0) return false
    act()
    return true
  } finally {
    lock.release()
  }
}

/**
 * The nonces of the guardians whose alive lock is held now. More than one: somebody deleted `guardian.lock` under the first,
 * which finds out at its next beat. Changes nothing.
 */
export function livingGuardians(locks: FileLocker, layout: Layout): readonly string[] {
  return readdirSync(layout.root).flatMap((name) => {
    const nonce = nonceOfAliveFile(name)
    return nonce !== undefined && probeAlive(locks, join(layout.root, name)) !== 'absent' ? [nonce] : []
  })
}
