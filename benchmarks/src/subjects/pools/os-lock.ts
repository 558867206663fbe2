import { mkdirSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lock, unlock } from 'os-lock'
import type { OpenPool } from '../../subject.ts'
import { scanningPool } from './scanning-pool.ts'

const REFUSED: ReadonlySet<unknown> = new Set(['EACCES', 'EAGAIN', 'EBUSY'])

/** One byte a slot. All of them through one descriptor: closing any other one of this file would release every lock of this process. */
export const open: OpenPool = async (dir, slots) => {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = await openFile(join(dir, 'slots.lock'), 'a+', 0o600)
  return scanningPool(
    {
      async tryLock(slot) {
        try {
          await lock(file.fd, slot, 1, { exclusive: true, immediate: true })
        } catch (error) {
          if (error instanceof Error && 'code' in error && REFUSED.has(error.code)) return undefined
          throw error
        }
        return () => unlock(file.fd, slot, 1)
      },
      async lock(slot) {
        await lock(file.fd, slot, 1, { exclusive: true })
        return () => unlock(file.fd, slot, 1)
      },
      close: () => file.close(),
    },
    slots,
  )
}
