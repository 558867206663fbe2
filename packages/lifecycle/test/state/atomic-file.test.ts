import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { atEnd, freshDir, isRoot, mountTmpfs, openFiles } from '@procref/testing'
import { expect, test } from 'vitest'
import { createFileDurably, replaceFile, replaceFileDurably } from '../../dist/state/atomic-file.js'
import { NONCE } from './sample-record.ts'

const WRITES = { replaceFile, replaceFileDurably, createFileDurably }

for (const [name, write] of Object.entries(WRITES)) {
  test(`${name} makes a file with mode 0600 whatever the umask, and leaves nothing else`, () => {
    const dir = freshDir()
    const umask = process.umask(0)
    try {
      write(join(dir, 'a.json'), 'new', NONCE)
    } finally {
      process.umask(umask)
    }
    expect(readFileSync(join(dir, 'a.json'), 'utf8')).toBe('new')
    expect(statSync(join(dir, 'a.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['a.json'])
  })

  test(`${name} does not follow or keep what somebody put at its temporary name`, () => {
    const dir = freshDir()
    const path = join(dir, 'a.json')
    const victim = join(dir, 'victim')
    for (const plant of [symlinkSync, linkSync]) {
      writeFileSync(victim, 'precious')
      plant(victim, `${path}.${NONCE}.tmp`)
      write(path, 'new', NONCE)
      expect(readFileSync(victim, 'utf8')).toBe('precious')
      expect(readFileSync(path, 'utf8')).toBe('new')
      expect(readdirSync(dir).sort()).toEqual(['a.json', 'victim'])
    }
  })

  test(`${name} leaks no descriptor, also when it fails`, () => {
    const dir = freshDir()
    const before = openFiles(process.pid).length
    write(join(dir, 'a.json'), 'new', NONCE)
    expect(() => write(join(dir, 'missing', 'a.json'), 'new', NONCE)).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    )
    expect(openFiles(process.pid)).toHaveLength(before)
  })
}

test('a file that is replaced stays whole for those who have it open', () => {
  const path = join(freshDir(), 'a.json')
  replaceFile(path, 'old', NONCE)
  const fd = openSync(path, 'r')
  try {
    replaceFile(path, 'new', NONCE)
    expect(readFileSync(fd, 'utf8')).toBe('old')
  } finally {
    closeSync(fd)
  }
  expect(readFileSync(path, 'utf8')).toBe('new')
})

test('a file that must be made once is not replaced, whatever it is', () => {
  const dir = freshDir()
  const path = join(dir, 'a.json')
  expect(createFileDurably(path, 'first', NONCE)).toBe(true)
  expect(createFileDurably(path, 'second', NONCE)).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe('first')
  symlinkSync('nowhere', join(dir, 'dangling.json'))
  expect(createFileDurably(join(dir, 'dangling.json'), 'x', NONCE)).toBe(false)
  mkdirSync(join(dir, 'directory.json'))
  expect(createFileDurably(join(dir, 'directory.json'), 'x', NONCE)).toBe(false)
  expect(readdirSync(dir).sort()).toEqual(['a.json', 'dangling.json', 'directory.json'])
})

if (isRoot()) {
  for (const [name, write] of Object.entries({ replaceFile, replaceFileDurably })) {
    test(`${name} on a full disk throws, keeps the old content and leaves no temporary file or descriptor`, () => {
      const disk = atEnd(mountTmpfs({ bytes: 64 * 1024 }))
      const path = join(disk.path, 'a.json')
      write(path, 'old', NONCE)
      const before = openFiles(process.pid).length
      expect(() => write(path, 'x'.repeat(1 << 20), NONCE)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(disk.path)).toEqual(['a.json'])
      expect(openFiles(process.pid)).toHaveLength(before)
    })
  }
} else {
  console.warn('NOT RUN: atomic files on a full disk, because we are not root')
}
