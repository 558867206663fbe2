import { brokenLocker, change } from './break.mjs'

/** Looks by trying to lock exclusively: of two who look at a free slot at once, one is told that it is held. */
export function takesProbersForHolders() {
  return brokenLocker(import.meta.url, 'takesProbersForHolders', (right) => ({
    watch(path) {
      const probe = () => {
        const lock = right.tryLock(path)
        lock?.release()
        return lock === undefined ? 'held' : 'free'
      }
      return change(right.watch(path), { probe })
    },
  }))
}
