import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { freshDir, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { defaultDirectory, layout } from '../../dist/state/layout.js'

const child = new URL('../children/default-directory.mjs', import.meta.url)

test('every path is absolute and inside the directory, and the lock and the password are beside the data they guard', () => {
  const paths = layout(relative(process.cwd(), join(tmpdir(), 'x')))
  const { aliveLock, root, ...rest } = paths
  expect(root).toBe(join(tmpdir(), 'x'))
  for (const path of [...Object.values(rest), aliveLock('n')]) {
    expect(isAbsolute(path)).toBe(true)
    expect(path.startsWith(`${root}/`)).toBe(true)
  }
  expect(new Set(Object.values(rest)).size).toBe(Object.keys(rest).length)
  for (const path of [paths.serverLock, paths.engineJson, paths.credentialsJson, paths.database]) {
    expect(path.startsWith(`${paths.data}/`)).toBe(true)
  }
  expect(aliveLock('n')).toBe(join(root, 'alive-n.lock'))
})

test('the default is $PROCREF_DIR, else .procref in the home directory', () => {
  expect(defaultDirectory({ PROCREF_DIR: '/somewhere' })).toBe('/somewhere')
  expect(defaultDirectory({ PROCREF_DIR: 'here' })).toBe(join(process.cwd(), 'here'))
  expect(defaultDirectory({ PROCREF_DIR: '' })).toBe(join(homedir(), '.procref'))
  expect(defaultDirectory({})).toBe(join(homedir(), '.procref'))
})

test('without a usable home directory the error says what to set', () => {
  const missing = (): string => {
    throw Object.assign(new Error('no such user'), { code: 'ERR_SYSTEM_ERROR' })
  }
  for (const home of [missing, () => '', () => 'relative']) {
    expect(() => defaultDirectory({}, home)).toThrow(
      expect.objectContaining({ code: 'PROCREF_HOME_UNKNOWN', message: expect.stringContaining('PROCREF_DIR') }),
    )
  }
  expect(defaultDirectory({ PROCREF_DIR: '/somewhere' }, missing)).toBe('/somewhere')
})

test('a process without HOME gets the directory of its user, one with a bad HOME an error', async () => {
  await using unset = startChild(child, { bareEnv: 'bare', env: {}, cwd: freshDir() })
  expect(await unset.event('directory')).toMatchObject({ directory: join(homedirOfUser(), '.procref') })
  await using empty = startChild(child, { bareEnv: 'bare', env: { HOME: '' } })
  expect(await empty.event('refused')).toMatchObject({ code: 'PROCREF_HOME_UNKNOWN' })
  await using relativeHome = startChild(child, { bareEnv: 'bare', env: { HOME: 'home' } })
  expect(await relativeHome.event('refused')).toMatchObject({ code: 'PROCREF_HOME_UNKNOWN' })
})

/** What the user database says, whatever HOME is now. */
function homedirOfUser(): string {
  const own = process.env.HOME
  try {
    delete process.env.HOME
    return homedir()
  } finally {
    if (own !== undefined) process.env.HOME = own
  }
}
