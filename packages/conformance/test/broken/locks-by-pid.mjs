import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { brokenLocker, change } from './break.mjs'

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
    throw error
  }
}

function ownerOf(path) {
  try {
    return Number(readFileSync(`${path}.owner`, 'latin1'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** As POSIX locks: a slot belongs to a pid. What a thread holds is in its own table, so that two threads get the same slot. */
export function locksByPid() {
  const held = new Set()
  const isHeld = (path) => {
    const owner = ownerOf(path)
    return owner !== undefined && (owner === process.pid ? held.has(path) : isAlive(owner))
  }
  return brokenLocker(import.meta.url, 'locksByPid', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock === undefined || isHeld(path)) {
        lock?.release()
        return undefined
      }
      // Only the file is still needed, not its lock.
      lock.release()
      held.add(path)
      writeFileSync(`${path}.owner`, String(process.pid))
      let ours = true
      const release = () => {
        if (ours) rmSync(`${path}.owner`, { force: true })
        held.delete(path)
        ours = false
      }
      return { path, isCurrent: () => ours, release }
    },
    watch: (path) => change(right.watch(path), { probe: () => (isHeld(path) ? 'held' : 'free') }),
  }))
}
