import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnsafeFileError } from '@procref/core'
import { flock } from '@procref/flock'
import { native } from '@procref/native'
import { freshDir, openFiles } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeNative } from './native-built.ts'

const RECORD = Buffer.from('4711\n')

function tryTake(path: string): ReturnType<NonNullable<ReturnType<typeof native>['locks']['tryTake']>> {
  const { locks } = native()
  if (locks.tryTake === undefined) throw new Error('native() takes no lock in one call')
  const lock = locks.tryTake(path, RECORD)
  if (lock !== undefined) onTestFinished(() => lock.release())
  return lock
}

describeNative('the locker', () => {
  test('a lock that is taken in one call has its record at the beginning of the file, and nothing is cut off', () => {
    const path = join(freshDir(), 'slot_00.lock')
    writeFileSync(path, 'xxxxxxxxxx')
    expect(tryTake(path)?.isCurrent()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('4711\nxxxxx')
  })

  test('a refused claim leaves the record of the holder alone', () => {
    const path = join(freshDir(), 'slot_00.lock')
    const held = native().locks.tryLock(path)
    writeFileSync(path, 'holder\n')
    expect(tryTake(path)).toBeUndefined()
    held?.release()
    expect(readFileSync(path, 'utf8')).toBe('holder\n')
  })

  test('a lock that was waited for is adopted with its record, and not when its file was deleted or it was released', async () => {
    const path = join(freshDir(), 'slot_00.lock')
    const { locks } = native()
    const lock = await locks.lockWhenFree?.(path, { signal: new AbortController().signal })
    onTestFinished(() => lock?.release())
    expect(lock?.adopt?.(RECORD)).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('4711\n')
    rmSync(path)
    writeFileSync(path, 'another')
    expect(lock?.adopt?.(RECORD)).toBe(false)
    expect(readFileSync(path, 'utf8')).toBe('another')
    const again = await locks.lockWhenFree?.(path, { signal: new AbortController().signal })
    again?.release()
    expect(again?.adopt?.(RECORD)).toBe(false)
    expect(readFileSync(path, 'utf8')).toBe('another')
  })

  test('locks of native() and flock() exclude each other', async ({ skip }) => {
    const support = await flock().support(freshDir())
    // fs-ext is compiled for one version of Node, and this test runs under others too.
    if (!support.supported) {
      console.warn(`NOTE: DID NOT RUN under Node ${process.versions.node}: ${support.reason}`)
      skip()
    }
    const path = join(freshDir(), 'slot_00.lock')
    const ours = tryTake(path)
    expect(flock().locks.tryLock(path)).toBeUndefined()
    ours?.release()
    const theirs = flock().locks.tryLock(path)
    expect(theirs).toBeDefined()
    expect(tryTake(path)).toBeUndefined()
    theirs?.release()
  })

  test('errors are those of Node: code, system call and path', () => {
    const dir = freshDir()
    const missing = join(dir, 'missing/slot_00.lock')
    const { locks } = native()
    const expected = { code: 'ENOENT', syscall: 'open', path: missing, message: `ENOENT: open '${missing}'` }
    for (const call of [() => tryTake(missing), () => locks.tryLock(missing), () => locks.watch(missing)]) {
      expect(call).toThrow(expect.objectContaining(expected))
    }
    symlinkSync(missing, join(dir, 'link'))
    expect(() => tryTake(join(dir, 'link'))).toThrow(expect.objectContaining({ code: 'ELOOP' }))
    expect(() => locks.watch('/dev/null')).toThrow(UnsafeFileError)
  })

  test('a released lock is released once: a descriptor with its number that others opened stays open', () => {
    const dir = freshDir()
    const first = tryTake(join(dir, 'first'))
    first?.release()
    const second = tryTake(join(dir, 'second'))
    expect(second?.fd).toBe(first?.fd)
    first?.release()
    expect(first?.isCurrent()).toBe(false)
    expect(second?.isCurrent()).toBe(true)
    expect(tryTake(join(dir, 'second'))).toBeUndefined()
  })

  test.runIf(process.platform === 'linux')('claims, refusals and failures leave no descriptor open', () => {
    const dir = freshDir()
    const before = openFiles(process.pid).length
    const held = native().locks.tryTake?.(join(dir, 'held'), RECORD)
    for (let n = 0; n < 100; n++) {
      expect(tryTake(join(dir, 'held'))).toBeUndefined()
      expect(() => tryTake(dir)).toThrow(expect.objectContaining({ code: 'EISDIR' }))
      expect(() => native().locks.watch('/dev/null')).toThrow(UnsafeFileError)
    }
    held?.release()
    expect(openFiles(process.pid)).toHaveLength(before)
  })
})
