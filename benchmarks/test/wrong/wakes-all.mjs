// Wrong: each release wakes everybody who waits, and all but one find nothing.
import { watch } from 'node:fs'
import { folderLock, namesOf } from './folder-lock.mjs'

export const open = (dir, slots) => {
  const pool = folderLock(dir, namesOf(slots))
  return { ...pool, claim: () => claimWatching(dir, pool.tryClaim) }
}

function claimWatching(dir, tryClaim) {
  return new Promise((resolve) => {
    const watcher = watch(dir)
    const look = () => {
      const claim = tryClaim()
      if (claim === undefined) return
      watcher.close()
      resolve(claim)
    }
    watcher.on('change', look)
    look()
  })
}
