import type { FileLock, FileLocker } from '@procref/core'
import { flock } from '@procref/flock'
import { freshDir } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { whileServerless } from '../dist/serverless.js'
import { type Layout, layout } from '../dist/state/layout.js'
import { ServerRecordFile } from '../dist/state/server-record.js'
import { NONCE, sampleRecord } from './state/sample-record.ts'

const { locks } = flock()

/** A directory whose guardian recorded `state` and has guardian.lock, which it gives up once it was asked for it `tries` times. */
function leavingGuardian(state: 'serving' | 'stopped' | 'failed', tries: number): { paths: Layout; locks: FileLocker } {
  const paths = layout(freshDir())
  new ServerRecordFile(paths.serverJson, NONCE).write(sampleRecord({ state }))
  let held: FileLock | undefined = locks.tryLock(paths.guardianLock) ?? expect.unreachable()
  let asked = 0
  const tryLock = (path: string): FileLock | undefined => {
    if (path === paths.guardianLock && asked++ === tries) {
      held?.release()
      held = undefined
    }
    return locks.tryLock(path)
  }
  return { paths, locks: { ...locks, tryLock } }
}

describe('whileServerless()', () => {
  test.each(['stopped', 'failed'] as const)(
    'waits for a guardian that is through (%s) and whose process has not ended yet',
    async (state) => {
      const guardian = leavingGuardian(state, 3)
      expect(await whileServerless(guardian.locks, guardian.paths, 'nothing is done', () => 'done')).toBe('done')
    },
  )

  test('does not wait for one whose server runs', async () => {
    const guardian = leavingGuardian('serving', 1)
    await expect(
      whileServerless(guardian.locks, guardian.paths, 'nothing is done', () => 'done'),
    ).rejects.toMatchObject({
      code: 'PROCREF_GUARDIAN_RUNS',
      pid: 4242,
    })
  })
})
