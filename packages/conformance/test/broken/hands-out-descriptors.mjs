import { brokenLocker, fsExt } from './break.mjs'

/** Every program that the holder starts inherits its slots (no close-on-exec). */
export function handsOutDescriptors() {
  return brokenLocker(import.meta.url, 'handsOutDescriptors', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock !== undefined) fsExt.fcntlSync(lock.fd, 'setfd', 0)
      return lock
    },
  }))
}
