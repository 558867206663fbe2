import { translateErrno } from '@procref/core'
import { expect, test } from 'vitest'
import { CredentialsMissingError, StateFileUnsafeError } from '../../dist/errors.js'
import { finalFailure } from '../../dist/surreal/final-failure.js'

const URL = 'ws://127.0.0.1:40000/rpc'
const PATH = '/d/data/credentials.json'

const system = (code: string, facts: object = {}): Error => Object.assign(new Error(code), { code, ...facts })

test.each([
  ['EMFILE', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['EIO', 'PROCREF_IO_ERROR'],
  ['EACCES', 'PROCREF_PERMISSION_DENIED'],
  ['ENOTDIR', 'PROCREF_NOT_A_DIRECTORY'],
])('%s of a file ends it, and that file is named', (errno, code) => {
  const final = finalFailure(system(errno, { path: PATH, syscall: 'open' }), URL)
  expect(final).toMatchObject({ code, path: PATH, message: expect.stringContaining(`use ${PATH} (${errno})`) })
})

test('no descriptor for the connection itself ends it, and the address is named', () => {
  const final = finalFailure(system('EMFILE', { syscall: 'connect' }), URL)
  expect(final).toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES', message: expect.stringContaining(URL) })
})

test('what is an error of ours already stays what it is', () => {
  const full = translateErrno(system('ENOSPC'), 'use the database at', URL)
  const missing = new CredentialsMissingError({ path: PATH, database: '/d/data/db', found: 'is missing' })
  const exposed = new StateFileUnsafeError(PATH, 'can be read by others', 'Mend it')
  for (const error of [full, missing, exposed]) expect(finalFailure(error, URL)).toBe(error)
})

test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EACCES'])(
  '%s of the connection is no reason not to try again',
  (errno) => {
    const error = system(errno, { syscall: 'connect', address: '127.0.0.1', port: 40_000 })
    expect(finalFailure(error, URL)).toBeUndefined()
  },
)

test('nor is that the server is just not up, or that nobody answered in time', () => {
  expect(finalFailure(new Error('no server is up'), URL)).toBeUndefined()
  expect(finalFailure(new DOMException('too late', 'TimeoutError'), URL)).toBeUndefined()
})
