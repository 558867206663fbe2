import { brokenLocker, change } from './break.mjs'

/** A watch looks at whatever file is at its path now, not at the one it opened. */
export function watchesPaths() {
  return brokenLocker(import.meta.url, 'watchesPaths', (right) => ({
    watch(path) {
      const first = right.watch(path)
      const probe = () => {
        try {
          const now = right.watch(path)
          const state = now.probe()
          now.close()
          return state
        } catch (error) {
          if (error.code === 'ENOENT') return 'free'
          throw error
        }
      }
      return change(first, { probe })
    },
  }))
}
