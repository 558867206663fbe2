import { readdirSync } from 'node:fs'
import { type FileLocker, systemCalls, testMedium } from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { errno, TestLocker } from './test-locker.ts'

test('a medium on which locks exclude passes, and nothing is left of the test', () => {
  const dir = freshDir()
  const locker = new TestLocker()
  testMedium(locker, dir, 'testfs')
  expect(readdirSync(dir)).toEqual([])
  expect([locker.locks.size, locker.watches.size]).toEqual([0, 0])
})

const BROKEN: readonly (readonly [string, RegExp, (locker: TestLocker) => FileLocker])[] = [
  [
    'lets two in',
    /a file could be locked twice/,
    (locker) => {
      locker.isLocked = () => false
      return locker
    },
  ],
  [
    'refuses a new file',
    /a new file could not be locked/,
    (locker) => {
      locker.onTryLock = () => 'refused'
      return locker
    },
  ],
  [
    'does not show a lock to who looks',
    /a locked file was found free/,
    (locker) => {
      locker.onProbe = () => 'free'
      return locker
    },
  ],
  [
    'keeps a lock that was released',
    /a released file was found held/,
    (locker) => {
      locker.onProbe = () => 'held'
      return locker
    },
  ],
]

test.each(BROKEN)('a medium that %s is refused', (_, problem, breakIt) => {
  const dir = freshDir()
  const locker = new TestLocker()
  expect(() => testMedium(breakIt(locker), dir, 'testfs')).toThrow(
    expect.objectContaining({
      code: 'PROCREF_UNSUPPORTED_FILESYSTEM',
      path: dir,
      filesystem: 'testfs',
      message: expect.stringMatching(problem),
    }),
  )
  expect(readdirSync(dir)).toEqual([])
  expect([locker.locks.size, locker.watches.size]).toEqual([0, 0])
})

test('a lock that the system cannot give is its error, with the path', () => {
  const locker = new TestLocker()
  locker.onTryLock = () => errno('ENOLCK')
  expect(() => testMedium(locker, freshDir(), 'testfs')).toThrow(
    expect.objectContaining({ code: 'PROCREF_NO_LOCKS_LEFT' }),
  )
})

test('a lock that cannot be looked at for want of a descriptor says nothing of the medium', () => {
  const locker = new TestLocker()
  locker.onProbe = () => 'unknown'
  expect(() => testMedium(locker, freshDir(), 'testfs')).toThrow(
    expect.objectContaining({ code: 'PROCREF_TOO_MANY_OPEN_FILES' }),
  )
  expect([locker.locks.size, locker.watches.size]).toEqual([0, 0])
})

test('a lock of which cannot be told whether it is current says nothing of the medium', () => {
  const locker = new TestLocker()
  const blind: FileLocker = {
    tryLock(path) {
      const lock = locker.tryLock(path)
      return lock && { path, isCurrent: () => false, release: () => lock.release() }
    },
    watch: (path) => locker.watch(path),
  }
  const stat = (): never => {
    throw errno('EIO')
  }
  expect(() => testMedium(blind, freshDir(), 'testfs', { ...systemCalls, stat })).toThrow(
    expect.objectContaining({ code: 'PROCREF_IO_ERROR' }),
  )
  expect([locker.locks.size, locker.watches.size]).toEqual([0, 0])
})
