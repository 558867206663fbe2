import { closeSync, openSync } from 'node:fs'
import { brokenLocker, change } from './break.mjs'

/** Locks a file beside the slot file, and says that it shares slots with programs that lock the slot file. */
export function locksBeside() {
  const beside = (path) => `${path}.lck`
  return brokenLocker(import.meta.url, 'locksBeside', (right) => ({
    tryLock(path) {
      closeSync(openSync(path, 'a', 0o600))
      const lock = right.tryLock(beside(path))
      return lock && { path, isCurrent: () => lock.isCurrent(), release: () => lock.release() }
    },
    watch(path) {
      const watch = right.watch(path)
      const probe = () => {
        try {
          const lock = right.watch(beside(path))
          const state = lock.probe()
          lock.close()
          return state
        } catch (error) {
          if (error.code === 'ENOENT') return 'free'
          throw error
        }
      }
      return change(watch, { probe })
    },
  }))
}
