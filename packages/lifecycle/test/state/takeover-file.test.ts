import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { readTakeover, type Takeover, writeTakeover } from '../../dist/state/takeover-file.js'

const takeover: Takeover = {
  ...{ folder: '/somewhere/data.db', dev: '66', ino: '1234567890123456789', state: 'ab12', storage: 'rocksdb' },
  ...{ files: 9, bytes: 4_096, writtenBy: null, original: 'remove' },
}

test('it is read as it was written, and torn at any byte it is none', () => {
  const dir = freshDir()
  const file = join(dir, 'takeover.json')
  expect(readTakeover(file)).toBeUndefined()
  writeTakeover(file, takeover)
  expect(readTakeover(file)).toEqual(takeover)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length - 2; length++) {
    writeFileSync(file, whole.subarray(0, length))
    expect(readTakeover(file)).toBeUndefined()
  }
  writeTakeover(file, takeover)
  symlinkSync(file, join(dir, 'link.json'))
  expect(readTakeover(join(dir, 'link.json'))).toBeUndefined()
})

test.each([
  { folder: 7 },
  { folder: '/x\u001b[31m' },
  { ino: undefined },
  { storage: 'memory' },
  { files: 1.5 },
  { writtenBy: 3 },
  { original: 'burn' },
])('what no take-over wrote is none: %j', (wrong) => {
  const file = join(freshDir(), 'takeover.json')
  writeFileSync(file, JSON.stringify({ ...takeover, ...wrong }))
  expect(readTakeover(file)).toBeUndefined()
})
