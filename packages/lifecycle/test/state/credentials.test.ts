import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { atEnd, freshDir, isRoot, mountTmpfs, otherUser, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { ensureCredentials, readCredentials } from '../../dist/state/credentials.js'
import { type Layout, layout } from '../../dist/state/layout.js'

const child = new URL('../children/ensure-credentials.mjs', import.meta.url)
const missing = expect.objectContaining({ code: 'PROCREF_CREDENTIALS_MISSING' })
const unsafe = expect.objectContaining({ code: 'PROCREF_STATE_FILE_UNSAFE' })

function fresh(dir: string = freshDir()): Layout {
  const paths = layout(dir)
  mkdirSync(paths.database, { recursive: true })
  return paths
}

test('they are random, made once, mode 0600, and survive in every shell and URL', () => {
  const paths = fresh()
  const first = ensureCredentials(paths)
  expect(first.password).toMatch(/^[0-9a-f]{64}$/)
  expect(ensureCredentials(paths)).toEqual(first)
  expect(readCredentials(paths)).toEqual(first)
  expect(statSync(paths.credentialsJson).mode & 0o777).toBe(0o600)
  expect(readdirSync(paths.data).sort()).toEqual(['credentials.json', 'db'])
  expect(ensureCredentials(fresh()).password).not.toBe(first.password)
})

test('of processes that make them at the same moment all get the same', async () => {
  const paths = fresh()
  const makers = Array.from({ length: 6 }, () => atEnd(startChild(child, { args: [paths.root] })))
  await Promise.all(makers.map((maker) => maker.event('ready')))
  for (const maker of makers) maker.send('make')
  const made = await Promise.all(makers.map((maker) => maker.event<{ password: string }>('made')))
  expect(new Set(made.map(({ password }) => password))).toEqual(new Set([readCredentials(paths).password]))
})

test('they are never made anew beside a database that has anything in it', () => {
  const paths = fresh()
  ensureCredentials(paths)
  writeFileSync(`${paths.database}/CURRENT`, '')
  rmSync(paths.credentialsJson)
  expect(() => ensureCredentials(paths)).toThrow(missing)
  expect(() => readCredentials(paths)).toThrow(missing)
  expect(() => ensureCredentials(paths)).toThrow(/credentials\.json is missing.*Restore the file/s)
  expect(readdirSync(paths.data)).toEqual(['db'])
})

test('a file in place of the database directory counts as a database', () => {
  const paths = fresh()
  rmSync(paths.database, { recursive: true })
  expect(ensureCredentials(paths).user).toBe('procref')
  rmSync(paths.credentialsJson)
  writeFileSync(paths.database, '')
  expect(() => ensureCredentials(paths)).toThrow(missing)
})

test('torn at any byte they are made anew when there is no database, else an error says so', () => {
  const paths = fresh()
  const first = ensureCredentials(paths)
  const whole = readFileSync(paths.credentialsJson)
  // Without its line feed it is whole.
  for (let length = 0; length < whole.length - 1; length++) {
    writeFileSync(paths.credentialsJson, whole.subarray(0, length))
    expect(() => readCredentials(paths)).toThrow(missing)
  }
  const second = ensureCredentials(paths)
  expect(second.password).not.toBe(first.password)
  expect(readCredentials(paths)).toEqual(second)
  writeFileSync(`${paths.database}/CURRENT`, '')
  writeFileSync(paths.credentialsJson, '')
  expect(() => ensureCredentials(paths)).toThrow(/is empty/)
  writeFileSync(paths.credentialsJson, '{"user":"procref"}')
  expect(() => ensureCredentials(paths)).toThrow(/is damaged/)
  expect(readFileSync(paths.credentialsJson, 'utf8')).toBe('{"user":"procref"}')
})

test('a link in their place is not followed', () => {
  const paths = fresh()
  writeFileSync(`${paths.root}/planted`, '{"user":"u","password":"known"}', { mode: 0o600 })
  symlinkSync(`${paths.root}/planted`, paths.credentialsJson)
  expect(() => readCredentials(paths)).toThrow(missing)
  expect(ensureCredentials(paths).password).not.toBe('known')
  expect(readFileSync(`${paths.root}/planted`, 'utf8')).toContain('known')
})

test('credentials that others can read are refused, with the command that repairs it', () => {
  const paths = fresh()
  ensureCredentials(paths)
  for (const mode of [0o644, 0o640, 0o602]) {
    chmodSync(paths.credentialsJson, mode)
    expect(() => readCredentials(paths)).toThrow(unsafe)
    expect(() => ensureCredentials(paths)).toThrow(`chmod 600 ${paths.credentialsJson}`)
  }
})

test('no error has the password in it', () => {
  const paths = fresh()
  const { password } = ensureCredentials(paths)
  chmodSync(paths.credentialsJson, 0o644)
  try {
    readCredentials(paths)
    expect.unreachable()
  } catch (error) {
    expect(JSON.stringify(error) + String(error)).not.toContain(password)
  }
})

if (isRoot()) {
  test("another user's credentials are refused", () => {
    const paths = fresh()
    ensureCredentials(paths)
    chownSync(paths.credentialsJson, otherUser.uid, otherUser.gid)
    expect(() => readCredentials(paths)).toThrow(unsafe)
    expect(() => ensureCredentials(paths)).toThrow(unsafe)
  })

  test('on a full disk nothing is made, and the next call makes them', () => {
    const disk = atEnd(mountTmpfs({ bytes: 64 * 1024 }))
    const paths = fresh(disk.path)
    const filling = `${disk.path}/filling`
    expect(() => writeFileSync(filling, Buffer.alloc(1 << 20))).toThrow('ENOSPC')
    expect(() => ensureCredentials(paths)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(readdirSync(paths.data)).toEqual(['db'])
    rmSync(filling)
    expect(ensureCredentials(paths)).toEqual(readCredentials(paths))
  })
} else {
  console.warn('NOT RUN: credentials of other users and on a full disk, because we are not root')
}
