import { SlotsExhaustedError } from '@procref/core'
import { broken } from './break.mjs'

/** A full pool is full, and that is all you are told. */
export function namesNobody() {
  return broken(import.meta.url, 'namesNobody', {
    pool: (right) => ({
      async claim(options) {
        try {
          return await right.claim(options)
        } catch (error) {
          if (error.code !== 'PROCREF_SLOTS_EXHAUSTED') throw error
          throw new SlotsExhaustedError(right.dir, right.size, [])
        }
      },
    }),
  })
}
