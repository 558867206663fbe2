import { brokenLocker, change } from './break.mjs'

/** As POSIX locks: closing any descriptor of a file frees what this process holds of it. */
export function freesWithAnyDescriptor() {
  const held = new Map()
  return brokenLocker(import.meta.url, 'freesWithAnyDescriptor', (right) => ({
    tryLock(path) {
      const lock = right.tryLock(path)
      if (lock !== undefined) held.set(path, lock)
      return lock && change(lock, { isCurrent: () => true })
    },
    watch(path) {
      const watch = right.watch(path)
      const close = () => {
        watch.close()
        held.get(path)?.release()
        held.delete(path)
      }
      return change(watch, { close })
    },
  }))
}
