import { flock } from '@procref/flock'
import { broken } from './break.mjs'

/** Who asks for another size gets the pool as it is, without a word. */
export function takesAnySize() {
  return broken(import.meta.url, 'takesAnySize', {
    backend: (right) => ({
      open: (dir, options) =>
        right.open(dir, options).catch((error) => {
          if (error.code !== 'PROCREF_POOL_SIZE_MISMATCH') throw error
          return flock().open(dir, { label: options.label })
        }),
    }),
  })
}
