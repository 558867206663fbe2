import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, FileAccessError, ProcrefError, translateErrno } from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { errno } from './test-locker.ts'

test.each([
  ['EACCES', 'PROCREF_PERMISSION_DENIED'],
  ['EPERM', 'PROCREF_PERMISSION_DENIED'],
  ['ENOSPC', 'PROCREF_DISK_FULL'],
  ['EDQUOT', 'PROCREF_DISK_FULL'],
  ['EMFILE', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['ENFILE', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['EROFS', 'PROCREF_READ_ONLY'],
  ['ENOENT', 'PROCREF_NOT_FOUND'],
  ['ENOTDIR', 'PROCREF_NOT_A_DIRECTORY'],
  ['EISDIR', 'PROCREF_NOT_A_FILE'],
  ['ENXIO', 'PROCREF_NOT_A_FILE'],
  ['ELOOP', 'PROCREF_SYMBOLIC_LINK'],
  ['ENOLCK', 'PROCREF_NO_LOCKS_LEFT'],
  ['EIO', 'PROCREF_IO_ERROR'],
  ['EFBIG', 'PROCREF_FILE_TOO_LARGE'],
  ['ENAMETOOLONG', 'PROCREF_PATH_TOO_LONG'],
  ['ENOMEM', 'PROCREF_OUT_OF_MEMORY'],
])('%s becomes %s, which says what was tried, where, and what to do', (name, code) => {
  const cause = errno(name)
  const error = translateErrno(cause, 'make', '/some/where') as FileAccessError
  expect(error).toBeInstanceOf(FileAccessError)
  expect(error).toMatchObject({ code, path: '/some/where', errno: name, cause })
  expect(error.message).toMatch(new RegExp(`^Could not make /some/where \\(${name}\\)\\. .+\\.$`))
})

test('a folder on the way that is missing, or is a file, is named', () => {
  const dir = freshDir()
  const told = (name: string, path: string): string => (translateErrno(errno(name), 'use', path) as Error).message
  expect(told('ENOENT', join(dir, 'gone', 'below', 'x'))).toContain(`The folder ${join(dir, 'gone')} does not exist`)
  expect(told('ENOENT', join(dir, 'x'))).toContain('It does not exist')
  const file = join(dir, 'file')
  writeFileSync(file, '')
  expect(told('ENOTDIR', join(file, 'x'))).toContain(`${file} is a file where a directory should be`)
  expect(told('ENOTDIR', join(file, 'below', 'x'))).toContain(`${file} is a file where a directory should be`)
})

test('an errno without a known remedy, and what is no system error, pass through unchanged', () => {
  for (const error of [errno('EXDEV'), new TypeError('x'), new ProcrefError('PROCREF_X', 'x'), 'text', undefined]) {
    expect(translateErrno(error, 'make', '/some/where')).toBe(error)
  }
})

test('only errors of the system have an errno', () => {
  expect(errnoOf(errno('EIO'))).toBe('EIO')
  for (const error of [new ProcrefError('PROCREF_X', 'x'), new Error('x'), { code: 'EIO' }, null]) {
    expect(errnoOf(error)).toBeUndefined()
  }
})
