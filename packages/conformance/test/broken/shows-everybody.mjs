import { chmodSync } from 'node:fs'
import { broken } from './break.mjs'

/** Other users may look into the directory. */
export function showsEverybody() {
  return broken(import.meta.url, 'showsEverybody', {
    pool: (_right, dir) => {
      chmodSync(dir, 0o755)
      return {}
    },
  })
}
