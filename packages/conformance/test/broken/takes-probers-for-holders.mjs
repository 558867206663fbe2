import { brokenLocker, change } from './break.mjs'

/** Long enough that a claimer meets a look whatever the machine is busy with. */
const LOOK_MS = 1

/** Looks by trying to lock exclusively: of two who look at a free slot at once, one is told that it is held. */
export function takesProbersForHolders() {
  return brokenLocker(import.meta.url, 'takesProbersForHolders', (right) => ({
    watch(path) {
      const probe = () => {
        const lock = right.tryLock(path)
        if (lock === undefined) return 'held'
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
        lock.release()
        return 'free'
      }
      return change(right.watch(path), { probe })
    },
  }))
}
