import { closeSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { onFile } from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'

test('an error of a call on a descriptor names the file, one that names another path keeps it', () => {
  const path = join(freshDir(), 'file')
  const fd = openSync(path, 'w')
  closeSync(fd)
  expect(() => onFile(path, () => fsyncSync(fd))).toThrow(expect.objectContaining({ code: 'EBADF', path }))
  expect(() => onFile(path, () => openSync('/no/such/file', 'r'))).toThrow(
    expect.objectContaining({ code: 'ENOENT', path: '/no/such/file' }),
  )
})

test('what is no error of the system passes through untouched', () => {
  const error = new TypeError('x')
  expect(() =>
    onFile('/some/where', () => {
      throw error
    }),
  ).toThrow(error)
  expect(error).not.toHaveProperty('path')
})
