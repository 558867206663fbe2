import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCalls } from '@procref/core'
import { freshDir, isRoot, otherUser } from '@procref/testing'
import { expect, test } from 'vitest'
import { flockLocker } from '../dist/locker.js'
import { type CountedCalls, countedCalls, errno } from './flock-calls.ts'

function lockFile(): string {
  return join(freshDir(), 'a.lock')
}

function fails(code: string): () => never {
  return () => {
    throw errno(code)
  }
}

test('a lock is made with a file for us alone, whatever the umask', () => {
  const path = lockFile()
  const umask = process.umask(0)
  try {
    flockLocker(countedCalls()).tryLock(path)?.release()
  } finally {
    process.umask(umask)
  }
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a lock that was interrupted is tried again, but not for ever', () => {
  const path = lockFile()
  let interruptions = 3
  const real = countedCalls()
  const some = countedCalls({
    flock: (fd, operation) => {
      if (interruptions-- > 0) throw errno('EINTR')
      real.flock(fd, operation)
    },
  })
  const lock = flockLocker(some).tryLock(path)
  expect(lock?.isCurrent()).toBe(true)
  lock?.release()

  const always = countedCalls({ flock: fails('EINTR') })
  expect(() => flockLocker(always).tryLock(path)).toThrow(expect.objectContaining({ code: 'EINTR' }))
  expect([some.openFds(), always.openFds()]).toEqual([0, 0])
})

test.each(['ENOLCK', 'EIO', 'EOPNOTSUPP'])(
  '%s of flock() is thrown with its call and path, and nothing stays open',
  (code) => {
    const path = lockFile()
    const calls = countedCalls({ flock: fails(code) })
    expect(() => flockLocker(calls).tryLock(path)).toThrow(
      expect.objectContaining({ code, syscall: 'flock', path, message: expect.stringContaining(path) }),
    )
    expect(calls.openFds()).toBe(0)
  },
)

test.each(['EMFILE', 'EACCES', 'ENOSPC'])('%s of open() is the system’s own error', (code) => {
  const calls = countedCalls({ open: fails(code) })
  expect(() => flockLocker(calls).tryLock(lockFile())).toThrow(`${code}: made by a test`)
  expect(() => flockLocker(calls).watch(lockFile())).toThrow(`${code}: made by a test`)
})

test('a file that cannot be identified is not locked, and nothing stays open', () => {
  const path = lockFile()
  writeFileSync(path, '')
  const calls = countedCalls({ fstat: fails('EIO') })
  // A descriptor's error names no file by itself.
  const named = expect.objectContaining({ code: 'EIO', path })
  expect(() => flockLocker(calls).tryLock(path)).toThrow(named)
  expect(() => flockLocker(calls).watch(path)).toThrow(named)
  expect(calls.openFds()).toBe(0)
})

test('a lock is not called current when that cannot be told', () => {
  const path = lockFile()
  const lock = flockLocker(countedCalls({ stat: fails('EACCES') })).tryLock(path)
  const watch = flockLocker(countedCalls({ stat: fails('EACCES') })).watch(path)
  expect([lock?.isCurrent(), watch.isCurrent()]).toEqual([false, false])
  lock?.release()
  watch.close()
})

test('a close that fails does not make release() or close() throw', () => {
  const path = lockFile()
  const closed: number[] = []
  const close = (fd: number): void => {
    closed.push(fd)
    systemCalls.close(fd)
    throw errno('EIO')
  }
  const locker = flockLocker(countedCalls({ close }))
  const lock = locker.tryLock(path)
  const watch = locker.watch(path)
  expect(watch.probe()).toBe('held')
  lock?.release()
  lock?.release()
  watch.close()
  watch.close()
  expect(closed).toHaveLength(3)
  expect(new Set(closed).size).toBeGreaterThanOrEqual(2)
})

test('what is no plain file is neither locked nor looked at', () => {
  const dir = freshDir()
  const calls = countedCalls()
  const locker = flockLocker(calls)
  const pipe = join(dir, 'pipe')
  execFileSync('mkfifo', [pipe])
  const unsafe = expect.objectContaining({ code: 'PROCREF_UNSAFE_FILE', path: pipe })
  expect(() => locker.tryLock(pipe)).toThrow(unsafe)
  expect(() => locker.watch(pipe)).toThrow(unsafe)
  const directory = join(dir, 'directory')
  mkdirSync(directory)
  expect(() => locker.tryLock(directory)).toThrow('EISDIR')
  expect(() => locker.watch(directory)).toThrow(expect.objectContaining({ code: 'PROCREF_UNSAFE_FILE' }))
  const link = join(dir, 'link')
  symlinkSync(join(dir, 'elsewhere'), link)
  expect(() => locker.tryLock(link)).toThrow('ELOOP')
  expect(() => locker.watch(link)).toThrow('ELOOP')
  expect(calls.openFds()).toBe(0)
})

test('another user’s file is not locked, even where root could', () => {
  if (!isRoot()) return console.warn('not checked: only root can make a file of another user')
  const path = lockFile()
  writeFileSync(path, '')
  chownSync(path, otherUser.uid, otherUser.gid)
  const calls = countedCalls()
  expect(() => flockLocker(calls).tryLock(path)).toThrow(
    expect.objectContaining({ code: 'PROCREF_UNSAFE_FILE', path, message: expect.stringContaining('belongs to user') }),
  )
  expect(calls.openFds()).toBe(0)
})

test.each(['EMFILE', 'EACCES'])('%s while looking is "unknown", with the reason', (code) => {
  const path = lockFile()
  writeFileSync(path, '')
  let opens = 0
  const calls = countedCalls({
    open: (...args) => {
      if (opens++ > 0) throw errno(code)
      return systemCalls.open(...args)
    },
  })
  const watch = flockLocker(calls).watch(path)
  expect(watch.probe()).toBe('unknown')
  expect(watch.lastError).toMatchObject({ code })
  watch.close()
  expect(watch.probe()).toBe('unknown')
  expect(calls.openFds()).toBe(0)
})

test('an error of the shared lock itself is "unknown", and closes what was opened for it', () => {
  const path = lockFile()
  writeFileSync(path, '')
  const calls = countedCalls({ flock: fails('ENOLCK') })
  const watch = flockLocker(calls).watch(path)
  expect(watch.probe()).toBe('unknown')
  expect(watch.lastError).toMatchObject({ code: 'ENOLCK', path })
  expect(calls.openFds()).toBe(1)
  watch.close()
})

test('a look leaves nothing open and no lock behind', () => {
  const path = lockFile()
  const calls = countedCalls()
  const locker = flockLocker(calls)
  writeFileSync(path, '')
  const watch = locker.watch(path)
  for (let n = 0; n < 100; n++) expect(watch.probe()).toBe('free')
  expect(calls.openFds()).toBe(1)
  const lock = locker.tryLock(path)
  expect(lock).toBeDefined()
  for (let n = 0; n < 100; n++) expect(watch.probe()).toBe('held')
  expect(calls.openFds()).toBe(2)
  lock?.release()
  watch.close()
  expect(calls.openFds()).toBe(0)
})

/** A machine without /proc: macOS, the BSDs, a bare container. */
function withoutProc(): CountedCalls {
  return countedCalls({
    open: (path, flags, mode) => {
      if (path.startsWith('/proc/')) throw errno('ENOENT')
      return systemCalls.open(path, flags, mode)
    },
  })
}

test('without /proc a lock is seen held and free as often as that changes', () => {
  const path = lockFile()
  const calls = withoutProc()
  const locker = flockLocker(calls)
  writeFileSync(path, '')
  const watch = locker.watch(path)
  for (let n = 0; n < 3; n++) {
    expect(watch.probe()).toBe('free')
    const lock = locker.tryLock(path)
    expect(lock).toBeDefined()
    expect(watch.probe()).toBe('held')
    lock?.release()
  }
  watch.close()
  expect(calls.openFds()).toBe(0)
})

test.each([
  ['deleted', (path: string) => rmSync(path)],
  ['moved away', (path: string) => renameSync(path, `${path}.away`)],
  [
    'replaced by another file',
    (path: string) => {
      rmSync(path)
      writeFileSync(path, '')
    },
  ],
  [
    'replaced by a link',
    (path: string) => {
      rmSync(path)
      symlinkSync('elsewhere', path)
    },
  ],
])('without /proc the lock of a file that was %s is still seen held, then free for good', (_, change) => {
  const path = lockFile()
  const calls = withoutProc()
  const locker = flockLocker(calls)
  const lock = locker.tryLock(path)
  const watch = locker.watch(path)
  change(path)
  expect([watch.isCurrent(), watch.probe(), watch.probe()]).toEqual([false, 'held', 'held'])
  lock?.release()
  // Only the watch is left; it lets go of the file as soon as nobody holds it.
  expect(calls.openFds()).toBe(1)
  expect([watch.probe(), watch.probe(), watch.isCurrent()]).toEqual(['free', 'free', false])
  expect(calls.openFds()).toBe(0)
  watch.close()
})
