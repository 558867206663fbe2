import { brokenLocker, change, fsExt } from './break.mjs'

/** Release unlocks (LOCK_UN) before it closes, and so takes the lock from a child that shares it. */
export function unlocksOnRelease() {
  return brokenLocker(import.meta.url, 'unlocksOnRelease', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock === undefined) return undefined
      let held = true
      const release = () => {
        if (held) fsExt.flockSync(lock.fd, 'un')
        held = false
        lock.release()
      }
      return change(lock, { release })
    },
  }))
}
