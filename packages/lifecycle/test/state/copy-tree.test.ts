import { mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { copyTree } from '../../dist/state/copy-tree.js'

function madeTree(): string {
  const from = join(freshDir(), 'from')
  mkdirSync(join(from, 'tables'), { recursive: true, mode: 0o755 })
  writeFileSync(join(from, 'log'), 'log', { mode: 0o644 })
  writeFileSync(join(from, 'tables', '1.sst'), 'table', { mode: 0o640 })
  writeFileSync(join(from, 'lock'), '')
  return from
}

test('a copy has all contents, is closed to others, and shares nothing', async () => {
  const from = madeTree()
  const to = `${from}.copy`
  await copyTree(from, to, { without: (name) => name === 'lock' })
  expect(readFileSync(join(to, 'log'), 'utf8')).toBe('log')
  expect(readFileSync(join(to, 'tables', '1.sst'), 'utf8')).toBe('table')
  expect(() => statSync(join(to, 'lock'))).toThrow('ENOENT')
  for (const [name, mode] of [
    ['.', 0o700],
    ['tables', 0o700],
    ['log', 0o600],
    ['tables/1.sst', 0o600],
  ] as const) {
    expect(statSync(join(to, name)).mode & 0o777, name).toBe(mode)
    expect(statSync(join(to, name)).ino).not.toBe(statSync(join(from, name)).ino)
  }
  expect(statSync(join(from, 'log')).mode & 0o777).toBe(0o644)
})

test('a file that may have a second name gets one, and stays as it is', async () => {
  const from = madeTree()
  const to = `${from}.copy`
  await copyTree(from, to, { linked: (name) => name === 'tables/1.sst' })
  const [one, other] = [statSync(join(from, 'tables', '1.sst')), statSync(join(to, 'tables', '1.sst'))]
  expect({ ino: other.ino, mode: other.mode }).toEqual({ ino: one.ino, mode: one.mode })
  expect(statSync(join(to, 'log')).nlink).toBe(1)
})

test('a link is not followed, and nothing is written over', async () => {
  const from = madeTree()
  symlinkSync('log', join(from, 'z-link'))
  await expect(copyTree(from, `${from}.copy`)).rejects.toMatchObject({
    ...{ code: 'PROCREF_NOT_COPIED', path: join(from, 'z-link') },
  })
  expect(readlinkSync(join(from, 'z-link'))).toBe('log')
  await expect(copyTree(from, from)).rejects.toThrow('EEXIST')
})

test('it ends when it is told to', async () => {
  const from = madeTree()
  await expect(copyTree(from, `${from}.copy`, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  )
})
