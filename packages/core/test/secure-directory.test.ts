import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secureDirectory, systemCalls } from '@procref/core'
import { asOtherUser, freshDir, isRoot, otherUser, startChild, unprivileged } from '@procref/testing'
import { expect, test } from 'vitest'
import { errno } from './test-locker.ts'

const UNSAFE = 'PROCREF_UNSAFE_DIRECTORY'
const CHILD = new URL('./children/secure-directory.mjs', import.meta.url)

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

function refusal(path: string): { code?: string; message: string; path?: string } {
  try {
    secureDirectory(path)
  } catch (error) {
    return error as Error
  }
  throw new Error(`${path} was accepted`)
}

/** What a program that runs as another user is told. */
async function refusalOf(path: string, user: ReturnType<typeof unprivileged>) {
  await using child = startChild(CHILD, { args: [path], ...user })
  return await child.event<{ code?: string; message?: string }>('done')
}

test('a missing directory is made with its parents, each for us alone whatever the umask', () => {
  const parent = join(freshDir(), 'a')
  const umask = process.umask(0)
  try {
    secureDirectory(join(parent, 'b', 'c'))
  } finally {
    process.umask(umask)
  }
  expect([parent, join(parent, 'b'), join(parent, 'b', 'c')].map(mode)).toEqual([0o700, 0o700, 0o700])
})

test('a directory of ours that only we can write is taken as it is', () => {
  const path = join(freshDir(), 'a')
  mkdirSync(path)
  for (const usual of [0o700, 0o750, 0o755, 0o500]) {
    chmodSync(path, usual)
    secureDirectory(path)
    expect(mode(path)).toBe(usual)
  }
})

test.each(['770', '707', '777', '1777', '720'])('a directory of mode %s is refused, and keeps it', (octal) => {
  const writable = Number.parseInt(octal, 8)
  const path = join(freshDir(), 'a')
  mkdirSync(path)
  chmodSync(path, writable)
  expect(refusal(path)).toMatchObject({ code: UNSAFE, path })
  expect(refusal(path).message).toContain(`chmod go-w ${path}`)
  expect(statSync(path).mode & 0o7777).toBe(writable)
})

test('a symbolic link is refused, wherever it leads, and nothing is made there', () => {
  const dir = freshDir()
  const path = join(dir, 'link')
  symlinkSync(dir, path)
  expect(refusal(path)).toMatchObject({ code: UNSAFE, path })
  rmSync(path)
  symlinkSync(join(dir, 'missing'), path)
  expect(refusal(path)).toMatchObject({ code: UNSAFE, path })
  expect(() => statSync(join(dir, 'missing'))).toThrow('ENOENT')
})

test('a link above it is followed: only the last step must be a directory', () => {
  const dir = freshDir()
  mkdirSync(join(dir, 'real'))
  symlinkSync(join(dir, 'real'), join(dir, 'link'))
  secureDirectory(join(dir, 'link', 'a'))
  expect(mode(join(dir, 'real', 'a'))).toBe(0o700)
})

test('a file in its place, or above it, is refused with its path', () => {
  const file = join(freshDir(), 'file')
  writeFileSync(file, 'precious')
  expect(refusal(file)).toMatchObject({ code: UNSAFE, path: file })
  expect(refusal(join(file, 'below'))).toMatchObject({ code: 'PROCREF_NOT_A_DIRECTORY', path: join(file, 'below') })
})

test('root is refused in a user’s directory', () => {
  if (!isRoot()) return console.warn('not checked: only root can make a directory of another user')
  const path = join(freshDir(), 'theirs')
  mkdirSync(path)
  chownSync(path, otherUser.uid, otherUser.gid)
  expect(refusal(path)).toMatchObject({ code: UNSAFE, path })
  expect(refusal(path).message).toMatch(/belongs to user 65534, and this process is root.*without sudo/)
})

test('a user is refused in root’s directory', async () => {
  if (!isRoot()) return console.warn('not checked: only root can become another user')
  const path = join(freshDir({ mode: 0o755 }), 'ours')
  mkdirSync(path, { mode: 0o755 })
  const { code, message } = await refusalOf(path, asOtherUser())
  expect(code).toBe(UNSAFE)
  expect(message).toContain(`${path} belongs to root, and this process is user 65534`)
})

test('where no directory may be made, the error says so with the path', async () => {
  const dir = freshDir({ mode: 0o755 })
  if (!isRoot()) chmodSync(dir, 0o500)
  const { code, message } = await refusalOf(join(dir, 'a'), unprivileged())
  chmodSync(dir, 0o700)
  expect(code).toBe('PROCREF_PERMISSION_DENIED')
  expect(message).toContain(join(dir, 'a'))
})

test.each([
  ['EROFS', 'PROCREF_READ_ONLY'],
  ['ENOSPC', 'PROCREF_DISK_FULL'],
])('%s while it is made is %s, with the path', (name, code) => {
  const path = join(freshDir(), 'a')
  const mkdirs = (): never => {
    throw errno(name)
  }
  expect(() => secureDirectory(path, { system: { ...systemCalls, mkdirs } })).toThrow(
    expect.objectContaining({ code, path }),
  )
})

// A looks: nothing is there
// B puts a symbolic link there
// A makes the directory (EEXIST), looks again, refuses
test('what takes its place between the look and the making is checked as well', () => {
  const dir = freshDir()
  const path = join(dir, 'a')
  const mkdirs = (): void => {
    symlinkSync(dir, path)
    throw errno('EEXIST')
  }
  expect(() => secureDirectory(path, { system: { ...systemCalls, mkdirs } })).toThrow(
    expect.objectContaining({ code: UNSAFE, path }),
  )
})

test('a directory that is deleted right after it was made is named', () => {
  const path = join(freshDir(), 'a')
  expect(() => secureDirectory(path, { system: { ...systemCalls, mkdirs: () => {} } })).toThrow(
    expect.objectContaining({ code: 'PROCREF_NOT_FOUND', path }),
  )
})
