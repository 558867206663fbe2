import { broken } from './break.mjs'

/** Something ticks for ever once a pool was open. */
export function keepsRunning() {
  return broken(import.meta.url, 'keepsRunning', {
    pool: () => {
      setInterval(() => {}, 1000)
      return {}
    },
  })
}
