import { rmSync, statSync, writeFileSync } from 'node:fs'
import { brokenLocker, change } from './break.mjs'

/** Held is what has a file beside it, which only release() removes. */
export function keepsDeadHolders() {
  const mark = (path) => `${path}.owner`
  return brokenLocker(import.meta.url, 'keepsDeadHolders', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock === undefined) return undefined
      try {
        writeFileSync(mark(path), '', { flag: 'wx' })
      } catch (error) {
        lock.release()
        if (error.code === 'EEXIST') return undefined
        throw error
      }
      let held = true
      const release = () => {
        if (held) rmSync(mark(path), { force: true })
        held = false
        lock.release()
      }
      return change(lock, { release })
    },
    watch(path) {
      const watch = right.watch(path)
      const isMarked = () => statSync(mark(path), { throwIfNoEntry: false }) !== undefined
      return change(watch, { probe: () => (isMarked() ? 'held' : watch.probe()) })
    },
  }))
}
