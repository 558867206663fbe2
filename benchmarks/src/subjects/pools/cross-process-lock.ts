import { LockError, lock } from 'cross-process-lock'
import type { OpenPool } from '../../subject.ts'
import { lockableFile } from './lockable-file.ts'
import { scanningPool, type Unlock } from './scanning-pool.ts'

/** It looks every 500 ms: less than that is one look; 0 would be none. */
const ONE_LOOK_MS = 400
const PATIENCE_MS = 120_000

export const open: OpenPool = (dir) => {
  const file = lockableFile(dir)
  // Without its argument, which would be another file to unlock.
  const take = async (waitTimeout: number): Promise<Unlock> => {
    const unlock = await lock(file, { waitTimeout })
    return () => unlock()
  }
  return scanningPool(
    {
      async tryLock() {
        try {
          return await take(ONE_LOOK_MS)
        } catch (error) {
          if (error instanceof LockError) return undefined
          throw error
        }
      },
      lock: () => take(PATIENCE_MS),
      close() {},
    },
    1,
  )
}
