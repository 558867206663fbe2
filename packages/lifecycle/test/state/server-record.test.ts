import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { atEnd, freshDir, HANGS_MS, isRoot, mountTmpfs, otherUser, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { newNonce } from '../../dist/state/nonce.js'
import { readServerRecord, ServerRecordFile } from '../../dist/state/server-record.js'
import { NONCE, OTHER_NONCE, sampleRecord } from './sample-record.ts'

const writer = new URL('../children/record-writer.mjs', import.meta.url)

test('a record is read as it was written, mode 0600, and no temporary file is left', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  expect(readServerRecord(path)).toEqual(sampleRecord())
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir)).toEqual(['server.json'])
})

test('no file is no record', () => {
  expect(readServerRecord(join(freshDir(), 'server.json'))).toBeUndefined()
})

test('a record torn at any byte is no record, or the whole one', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  const whole = readFileSync(path)
  const torn = join(dir, 'torn.json')
  // Without its last byte, a line feed, it is whole.
  for (let length = 0; length < whole.length - 2; length++) {
    writeFileSync(torn, whole.subarray(0, length))
    expect(readServerRecord(torn), `torn after ${length} bytes`).toBeUndefined()
  }
})

test('a record that ends in zeros, as after a power cut, is no record', () => {
  const path = join(freshDir(), 'server.json')
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0, Math.floor(bytes.length / 2)))
  expect(readServerRecord(path)).toBeUndefined()
})

test('a record with any field missing or of another type is no record, unless the field is optional', () => {
  const path = join(freshDir(), 'server.json')
  const optional = new Set([
    'newestProtocol',
    'server',
    'listener',
    'version',
    'failure',
    'by',
    'restarting',
    'previous',
  ])
  for (const key of Object.keys(sampleRecord())) {
    const { [key as 'state']: _, ...rest } = sampleRecord()
    writeFileSync(path, JSON.stringify(rest))
    expect(readServerRecord(path) !== undefined, `${key} missing`).toBe(optional.has(key))
    for (const wrong of [null, [[]], { a: 1 }, true, -1, 1.5]) {
      const isRight = key === 'durable' && wrong === true
      writeFileSync(path, JSON.stringify({ ...rest, [key]: wrong }))
      expect(readServerRecord(path) !== undefined, `${key}: ${JSON.stringify(wrong)}`).toBe(isRight)
    }
  }
})

test('a nonce that could lead out of the directory is none', () => {
  const path = join(freshDir(), 'server.json')
  writeFileSync(path, JSON.stringify({ ...sampleRecord(), nonce: '../../../../etc/passwd' }))
  expect(readServerRecord(path)).toBeUndefined()
})

test('rubbish, a directory, a link and a huge file are no record', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  for (const rubbish of ['', '\0'.repeat(4096), 'null', '[]', '"text"', '{}', '{"protocol":1}', 'x'.repeat(2 << 20)]) {
    writeFileSync(path, rubbish)
    expect(readServerRecord(path)).toBeUndefined()
  }
  const real = join(dir, 'real.json')
  new ServerRecordFile(real, NONCE).write(sampleRecord())
  symlinkSync(real, join(dir, 'link.json'))
  expect(readServerRecord(join(dir, 'link.json'))).toBeUndefined()
  mkdirSync(join(dir, 'directory.json'))
  expect(readServerRecord(join(dir, 'directory.json'))).toBeUndefined()
})

test('a FIFO in its place does not make the reader wait', () => {
  const path = join(freshDir(), 'server.json')
  execFileSync('mkfifo', [path])
  expect(readServerRecord(path)).toBeUndefined()
})

test('a newer protocol is refused, naming both, whatever else the record looks like', () => {
  const path = join(freshDir(), 'server.json')
  writeFileSync(path, JSON.stringify({ protocol: 7, procref: '9.1.0', everything: 'different' }))
  expect(() => readServerRecord(path)).toThrow(
    expect.objectContaining({
      code: 'PROCREF_NEWER_PROTOCOL',
      found: 7,
      supported: 2,
      message: expect.stringMatching(/server\.json.*9\.1\.0.*protocol 7.*0\.0\.0.*up to 2/s),
    }),
  )
})

test('a procref that speaks newer protocols as well is understood, by what it writes for older ones', () => {
  const path = join(freshDir(), 'server.json')
  const record = sampleRecord({ protocol: 2, newestProtocol: 99 })
  new ServerRecordFile(path, NONCE).write(record)
  expect(readServerRecord(path)).toEqual(record)
})

test('a record of a newer procref that is not understood, whatever it says of itself, is refused and not taken for none', () => {
  const path = join(freshDir(), 'server.json')
  writeFileSync(path, JSON.stringify({ ...sampleRecord({ newestProtocol: 99 }), state: 'dancing' }))
  expect(() => readServerRecord(path)).toThrow(expect.objectContaining({ code: 'PROCREF_NEWER_PROTOCOL', found: 99 }))
})

test('a range of protocols that is none is no record', () => {
  const path = join(freshDir(), 'server.json')
  for (const range of [{ protocol: 2, newestProtocol: 1 }, { protocol: 0 }, { protocol: 1, newestProtocol: 1.5 }]) {
    writeFileSync(path, JSON.stringify({ ...sampleRecord(), ...range }))
    expect(readServerRecord(path), JSON.stringify(range)).toBeUndefined()
  }
})

test('whoever reads while it is replaced sees a whole record', async () => {
  const path = join(freshDir(), 'server.json')
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  const child = atEnd(startChild(writer, { args: [path, NONCE] }))
  child.send('start')
  await child.event('started')
  const seen = new Set<number>()
  // However long the writer waits for a processor.
  const end = performance.now() + HANGS_MS
  for (let reads = 0; reads < 2_000 || (seen.size < 10 && performance.now() < end); reads++) {
    const record = readServerRecord(path)
    expect(record).toBeDefined()
    seen.add(record?.epoch ?? 0)
  }
  expect(seen.size).toBeGreaterThan(1)
})

test('a writer killed at any moment leaves a whole record', async () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  for (let round = 0; round < 5; round++) {
    const nonce = newNonce()
    const child = atEnd(startChild(writer, { args: [path, nonce] }))
    child.send('start')
    await child.event('started')
    child.kill('SIGKILL')
    await child.exited
    expect(readServerRecord(path)?.nonce).toBe(nonce)
  }
  new ServerRecordFile(path, NONCE).removeLeftovers()
  expect(readdirSync(dir)).toEqual(['server.json'])
})

test('a link planted at the temporary name is not followed', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  const victim = join(dir, 'victim')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, `${path}.${NONCE}.tmp`)
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  expect(readFileSync(victim, 'utf8')).toBe('precious')
  expect(readServerRecord(path)).toEqual(sampleRecord())
})

test('a link planted at the path is replaced, not followed', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  const victim = join(dir, 'victim')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, path)
  new ServerRecordFile(path, NONCE).write(sampleRecord())
  expect(readFileSync(victim, 'utf8')).toBe('precious')
  expect(lstatSync(path).isFile()).toBe(true)
})

test('a write that cannot be finished throws, and leaves the old content and no temporary file', () => {
  const dir = freshDir()
  const path = join(dir, 'server.json')
  mkdirSync(path)
  writeFileSync(join(path, 'old'), '')
  expect(() => new ServerRecordFile(path, NONCE).write(sampleRecord())).toThrow(
    expect.objectContaining({ syscall: 'rename' }),
  )
  expect(readdirSync(dir)).toEqual(['server.json'])
  expect(readdirSync(path)).toEqual(['old'])
})

test("removeLeftovers unlinks other guardians' temporary files, keeps its own and whatever is not one", () => {
  const dir = freshDir()
  const file = new ServerRecordFile(join(dir, 'server.json'), NONCE)
  const others = [
    `server.json.${OTHER_NONCE}.tmp`,
    `server.json.${OTHER_NONCE}.spare2`,
    `request.json.${OTHER_NONCE}.taken`,
  ]
  const stay = [
    'guardian.lock',
    'server.json',
    'server.json.tmp',
    `server.json.${NONCE}.tmp`,
    `alive-${OTHER_NONCE}.lock`,
  ]
  for (const name of [...others, ...stay]) writeFileSync(join(dir, name), '')
  const folder = `request.json.${'f'.repeat(32)}.taken`
  mkdirSync(join(dir, folder))
  file.removeLeftovers()
  expect(readdirSync(dir).sort()).toEqual([...stay, folder].sort())
})

test('close unlinks the spare files', () => {
  const dir = freshDir()
  const file = new ServerRecordFile(join(dir, 'server.json'), NONCE)
  file.reserve()
  expect(readdirSync(dir)).toHaveLength(3)
  file.reserve()
  expect(readdirSync(dir)).toHaveLength(3)
  file.close()
  expect(readdirSync(dir)).toEqual([])
})

if (isRoot()) {
  test("another user's record is refused, not believed", () => {
    const path = join(freshDir(), 'server.json')
    new ServerRecordFile(path, NONCE).write(sampleRecord())
    chmodSync(path, 0o644)
    chownSync(path, otherUser.uid, otherUser.gid)
    expect(() => readServerRecord(path)).toThrow(expect.objectContaining({ code: 'PROCREF_STATE_FILE_UNSAFE', path }))
  })

  test('on a full disk a write throws, the old record stays and no temporary file is left', () => {
    const disk = atEnd(mountTmpfs({ bytes: 128 * 1024 }))
    const path = join(disk.path, 'server.json')
    const file = new ServerRecordFile(path, NONCE)
    file.write(sampleRecord())
    fill(disk.path)
    expect(() => file.write(sampleRecord({ state: 'draining' }))).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(readServerRecord(path)).toEqual(sampleRecord())
    expect(readdirSync(disk.path).sort()).toEqual(['filling', 'server.json'])
  })

  test('on a full disk the three writes of a stop go through once they are reserved, and the fourth throws', () => {
    const disk = atEnd(mountTmpfs({ bytes: 128 * 1024 }))
    const path = join(disk.path, 'server.json')
    const file = new ServerRecordFile(path, NONCE)
    file.write(sampleRecord())
    file.reserve()
    fill(disk.path)
    for (const state of ['draining', 'stopping', 'stopped'] as const) {
      file.write(sampleRecord({ state }))
      expect(readServerRecord(path)).toEqual(sampleRecord({ state }))
      expect(statSync(path).mode & 0o777).toBe(0o600)
      // What the replaced file had is free again: use it up.
      fill(disk.path)
    }
    expect(() => file.write(sampleRecord())).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(readServerRecord(path)?.state).toBe('stopped')
    expect(readdirSync(disk.path).filter((name) => name.startsWith('server.json.'))).toEqual([])
  })

  test('reserving on a full disk throws and leaves no file', () => {
    const disk = atEnd(mountTmpfs({ bytes: 64 * 1024 }))
    fill(disk.path)
    const file = new ServerRecordFile(join(disk.path, 'server.json'), NONCE)
    expect(() => file.reserve()).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(readdirSync(disk.path)).toEqual(['filling'])
    expect(existsSync(join(disk.path, 'server.json'))).toBe(false)
  })
} else {
  console.warn('NOT RUN: server records of other users and on a full disk, because we are not root')
}

/** Takes the last free block. */
function fill(dir: string): void {
  try {
    while (true) writeFileSync(join(dir, 'filling'), Buffer.alloc(4096), { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
