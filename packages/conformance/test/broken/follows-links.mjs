import { closeSync, openSync, realpathSync, statSync } from 'node:fs'
import { brokenLocker } from './break.mjs'

/** Opens what a symbolic link leads to, and makes it if it is not there. */
export function followsLinks() {
  const target = (path) => {
    closeSync(openSync(path, 'a', 0o600))
    return realpathSync(path)
  }
  return brokenLocker(import.meta.url, 'followsLinks', (right) => ({
    tryLock: (path) => right.tryLock(target(path)),
    watch: (path) => right.watch(statSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : path),
  }))
}
