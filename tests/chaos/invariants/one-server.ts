import { described, isSame, type Process } from '../processes.ts'
import type { Invariant } from './invariant.ts'

/**
 * Never two servers on one data directory. One look is not one moment: who is seen twice in a row beside the other was there
 * together with it.
 */
export function oneServer(): Invariant {
  let before: readonly Process[] = []
  return {
    look({ servers }) {
      const still = servers.filter((server) => before.some((one) => isSame(one, server)))
      before = servers
      if (still.length < 2) return []
      const text = `two servers have the database open: ${still.map(described).join(' and ')}`
      return [{ broken: 'two servers on one data directory', text }]
    },
  }
}
