import { flock } from '@procref/flock'
import { broken } from './break.mjs'

/** "Empty" is what the directory's present files say. */
export function forgetsDeletedFiles() {
  return broken(import.meta.url, 'forgetsDeletedFiles', {
    pool: (right, dir) => ({
      provenEmpty: async () => {
        if ((await right.count()) === 0) return true
        const fresh = await flock().open(dir)
        try {
          return await fresh.provenEmpty()
        } finally {
          await fresh.close()
        }
      },
    }),
  })
}
