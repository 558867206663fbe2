import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OpenPool } from '../../subject.ts'
import { scanningPool, type Unlock } from './scanning-pool.ts'

/** It brings no types. */
interface FsExt {
  readonly flockSync: (fd: number, mode: 'exnb') => void
  readonly flock: (fd: number, mode: 'ex', done: (error: Error | null) => void) => void
}

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW

/** Every step of the slot-file protocol, and nothing else. */
export const open: OpenPool = (dir, slots) => {
  const fsExt = createRequire(import.meta.url)('fs-ext') as FsExt
  const wait = promisify(fsExt.flock)
  const record = Buffer.alloc(512, ' ')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const pathOf = (slot: number): string => join(dir, `slot_${String(slot).padStart(2, '0')}.lock`)

  const finish = (fd: number, path: string): Unlock => {
    const held = fstatSync(fd, { bigint: true })
    const there = statSync(path, { bigint: true })
    if (held.ino !== there.ino || held.dev !== there.dev) throw new Error(`${path} was replaced`)
    writeSync(fd, record, 0, record.length, 0)
    return () => closeSync(fd)
  }

  return scanningPool(
    {
      tryLock(slot) {
        const path = pathOf(slot)
        const fd = openSync(path, FLAGS, 0o600)
        try {
          fsExt.flockSync(fd, 'exnb')
        } catch (error) {
          closeSync(fd)
          if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
          throw error
        }
        return finish(fd, path)
      },
      async lock(slot) {
        const path = pathOf(slot)
        const fd = openSync(path, FLAGS, 0o600)
        await wait(fd, 'ex')
        return finish(fd, path)
      },
      close() {},
    },
    slots,
  )
}
