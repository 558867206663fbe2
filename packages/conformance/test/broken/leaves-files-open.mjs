import { openSync } from 'node:fs'
import { broken } from './break.mjs'

/** Each support() leaves a descriptor open. */
export function leavesFilesOpen() {
  return broken(import.meta.url, 'leavesFilesOpen', {
    backend: (right) => ({
      support(dir) {
        openSync('/dev/null')
        return right.support(dir)
      },
    }),
  })
}
