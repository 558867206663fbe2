import { mkdirSync } from 'node:fs'
import type { FileLock, FileLocker } from '@procref/core'
import { flock } from '@procref/flock'
import { freshDir } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { whileServerless } from '../dist/serverless.js'
import { type Layout, layout } from '../dist/state/layout.js'
import { ServerRecordFile } from '../dist/state/server-record.js'
import { NONCE, sampleRecord } from './state/sample-record.ts'

const { locks } = flock()

type LockName = 'guardianLock' | 'serverLock'

/** A directory whose guardian recorded `state` and has one of its locks, which it gives up once it was asked for it `tries` times. */
function leavingGuardian(
  state: 'serving' | 'stopped' | 'failed',
  { lock = 'guardianLock', tries = 3 }: { readonly lock?: LockName; readonly tries?: number } = {},
): { paths: Layout; locks: FileLocker } {
  const paths = layout(freshDir())
  new ServerRecordFile(paths.serverJson, NONCE).write(sampleRecord({ state }))
  mkdirSync(paths.data, { mode: 0o700 })
  let held: FileLock | undefined = locks.tryLock(paths[lock]) ?? expect.unreachable()
  let asked = 0
  const tryLock = (path: string): FileLock | undefined => {
    if (path === paths[lock] && asked++ === tries) {
      held?.release()
      held = undefined
    }
    return locks.tryLock(path)
  }
  return { paths, locks: { ...locks, tryLock } }
}

const done = async ({ paths, locks }: { paths: Layout; locks: FileLocker }): Promise<string> =>
  await whileServerless(locks, paths, 'nothing is done', () => 'done')

describe('whileServerless()', () => {
  test.each(['stopped', 'failed'] as const)(
    'waits for a guardian that is through (%s) and whose process has not ended yet',
    async (state) => {
      expect(await done(leavingGuardian(state))).toBe('done')
    },
  )

  test('waits for a guardian that was killed and whose first lock is free', async () => {
    expect(await done(leavingGuardian('serving'))).toBe('done')
  })

  test('waits for the lock of its server as well', async () => {
    expect(await done(leavingGuardian('stopped', { lock: 'serverLock' }))).toBe('done')
  })

  test('does not wait for one whose server runs', async () => {
    const guardian = leavingGuardian('serving', { tries: 1 })
    const alive = locks.tryLock(guardian.paths.aliveLock(NONCE)) ?? expect.unreachable()
    try {
      await expect(done(guardian)).rejects.toMatchObject({ code: 'PROCREF_GUARDIAN_RUNS', pid: 4242 })
    } finally {
      alive.release()
    }
  })
})
