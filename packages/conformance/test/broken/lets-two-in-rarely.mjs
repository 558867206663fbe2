import { brokenLocker } from './break.mjs'

const EVERY = 20

/** One of many refused tries is taken for a lock: a race that only load brings about. */
export function letsTwoInRarely() {
  let refused = 0
  return brokenLocker(import.meta.url, 'letsTwoInRarely', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock !== undefined || ++refused % EVERY !== 0) return lock
      return { path, isCurrent: () => true, release: () => {} }
    },
  }))
}
