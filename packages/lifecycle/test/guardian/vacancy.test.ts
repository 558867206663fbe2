import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs'
import type { FileLock } from '@procref/core'
import { flock } from '@procref/flock'
import { freshDir } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { livingGuardians, whileVacant } from '../../dist/guardian/vacancy.js'
import { layout } from '../../dist/state/layout.js'
import { NONCE, OTHER_NONCE } from '../state/sample-record.ts'

const { locks } = flock()

function directory() {
  const paths = layout(`${freshDir()}/service`)
  mkdirSync(paths.root, { mode: 0o700 })
  return paths
}

function hold(path: string): FileLock {
  const lock = locks.tryLock(path) ?? expect.unreachable(path)
  onTestFinished(() => lock.release())
  return lock
}

test('an act runs while nobody is guardian, and nobody can become it meanwhile', () => {
  const paths = directory()
  const acted = whileVacant(locks, paths, () => expect(locks.tryLock(paths.guardianLock)).toBeUndefined())
  expect(acted).toBe(true)
  hold(paths.guardianLock)
})

test('no act runs while somebody holds guardian.lock', () => {
  const paths = directory()
  hold(paths.guardianLock)
  expect(whileVacant(locks, paths, () => expect.unreachable())).toBe(false)
})

test('no act runs under a guardian whose guardian.lock was deleted', () => {
  const paths = directory()
  hold(paths.guardianLock)
  hold(paths.aliveLock(NONCE))
  unlinkSync(paths.guardianLock)
  expect(whileVacant(locks, paths, () => expect.unreachable())).toBe(false)
})

test('an act that throws gives the lock back', () => {
  const paths = directory()
  expect(() =>
    whileVacant(locks, paths, () => {
      throw new Error('no')
    }),
  ).toThrow('no')
  hold(paths.guardianLock)
})

test('guardians are told by the alive locks that are held, not by their files', () => {
  const paths = directory()
  writeFileSync(paths.aliveLock(NONCE), '')
  expect(livingGuardians(locks, paths)).toEqual([])
  hold(paths.aliveLock(OTHER_NONCE))
  expect(livingGuardians(locks, paths)).toEqual([OTHER_NONCE])
})
