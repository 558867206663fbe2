import { readFileSync } from 'node:fs'
import { brokenLocker, change } from './break.mjs'

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
    throw error
  }
}

/** A slot is held while the pid in its file is that of a living process. */
export function believesRecords() {
  const holder = (path) => {
    try {
      return Number(/^([1-9]\d{0,6})\n/.exec(readFileSync(path, 'latin1'))?.[1])
    } catch (error) {
      if (error.code === 'ENOENT') return Number.NaN
      throw error
    }
  }
  // It does know its own records, so that it gets its own slots back.
  const isHeld = (path) => holder(path) > 0 && holder(path) !== process.pid && isAlive(holder(path))
  return brokenLocker(import.meta.url, 'believesRecords', (right) => ({
    tryLock: (path) => (isHeld(path) ? undefined : right.tryLock(path)),
    watch(path) {
      const watch = right.watch(path)
      return change(watch, { probe: () => (isHeld(path) ? 'held' : watch.probe()) })
    },
  }))
}
