import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PIN_FILE, pinProtocol, readProtocolPin, type SystemCalls, systemCalls } from '@procref/core'
import { atEnd, freshDir, isRoot, mountTmpfs, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { errno } from './test-locker.ts'

const CHILD = new URL('./children/pin-protocol.mjs', import.meta.url)

function failing(calls: Partial<SystemCalls>): { readonly system: SystemCalls } {
  return { system: { ...systemCalls, ...calls } }
}

function throws(code: string): () => never {
  return () => {
    throw errno(code)
  }
}

test('a fresh directory gets the protocol and the size that were asked for, and keeps them', () => {
  const dir = freshDir()
  expect(readProtocolPin(dir)).toBeUndefined()
  expect(pinProtocol(dir, { protocol: 'p', slots: 7 })).toEqual({ protocol: 'p', slots: 7 })
  expect(pinProtocol(dir, { protocol: 'p', slots: 7 })).toEqual({ protocol: 'p', slots: 7 })
  expect(pinProtocol(dir, { protocol: 'p' })).toEqual({ protocol: 'p', slots: 7 })
  expect(readProtocolPin(dir)).toEqual({ protocol: 'p', slots: 7 })
  expect(readdirSync(dir)).toEqual([PIN_FILE])
})

test('the pin is a small JSON file that names its own format', () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'p' })
  expect(readFileSync(join(dir, PIN_FILE), 'utf8')).toBe('{"format":1,"protocol":"p","slots":100}\n')
})

test('another protocol is refused, naming both and how to migrate', () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'one' })
  expect(() => pinProtocol(dir, { protocol: 'other' })).toThrow(
    expect.objectContaining({ code: 'PROCREF_PROTOCOL_MISMATCH', dir, found: 'one', wanted: 'other' }),
  )
  expect(() => pinProtocol(dir, { protocol: 'other' })).toThrow(/"one".*"other".*migrate/)
})

test('since a move it names the folder of the slots, in a format that versions from before it refuse', () => {
  const dir = freshDir()
  writeFileSync(join(dir, PIN_FILE), '{"format":2,"protocol":"p","slots":5,"folder":"generation-2"}\n')
  const pin = { protocol: 'p', slots: 5, folder: 'generation-2' }
  expect(readProtocolPin(dir)).toEqual(pin)
  expect(pinProtocol(dir, { protocol: 'p', slots: 5 })).toEqual(pin)
})

test('in the middle of a move nobody gets it, whichever protocol is asked for', () => {
  const dir = freshDir()
  writeFileSync(join(dir, PIN_FILE), '{"format":2,"protocol":"p","slots":5,"moving":{"to":"q"}}\n')
  for (const protocol of ['p', 'q']) {
    const refused = expect.objectContaining({ code: 'PROCREF_DIRECTORY_MOVING', dir, from: 'p', to: 'q' })
    expect(() => pinProtocol(dir, { protocol })).toThrow(refused)
  }
})

test('another size is refused, naming both', () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'p', slots: 5 })
  expect(() => pinProtocol(dir, { protocol: 'p', slots: 6 })).toThrow(
    expect.objectContaining({ code: 'PROCREF_POOL_SIZE_MISMATCH', dir, found: 5, wanted: 6 }),
  )
})

test.each([0, -1, 1.5, Number.NaN, 10_001, '5'])('%s is no number of slots', (slots) => {
  const dir = freshDir()
  expect(() => pinProtocol(dir, { protocol: 'p', slots: slots as number })).toThrow(TypeError)
  expect(readdirSync(dir)).toEqual([])
})

test('whatever comes before the making keeps the pin from being made when it fails', () => {
  const dir = freshDir()
  expect(() => pinProtocol(dir, { protocol: 'p' }, { beforeMaking: throws('EIO') })).toThrow('EIO')
  expect(readdirSync(dir)).toEqual([])
})

test('a directory with slot files and no pin belongs to the seed: flock, a hundred slots', () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'slot_03.lock'), '4711\n')
  expect(readProtocolPin(dir)).toEqual({ protocol: 'flock', slots: 100 })
  expect(() => pinProtocol(dir, { protocol: 'other' })).toThrow(
    expect.objectContaining({ code: 'PROCREF_PROTOCOL_MISMATCH', found: 'flock' }),
  )
  expect(() => pinProtocol(dir, { protocol: 'flock', slots: 5 })).toThrow(
    expect.objectContaining({ code: 'PROCREF_POOL_SIZE_MISMATCH', found: 100 }),
  )
  expect(readdirSync(dir)).toEqual(['slot_03.lock'])
  expect(pinProtocol(dir, { protocol: 'flock' })).toEqual({ protocol: 'flock', slots: 100 })
  expect(readdirSync(dir)).toEqual([PIN_FILE, 'slot_03.lock'])
})

test('a seed’s directory with larger numbers has as many slots as it needs', () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'slot_249.lock'), '')
  expect(pinProtocol(dir, { protocol: 'flock' })).toEqual({ protocol: 'flock', slots: 250 })
})

// A looks for the pin     B makes the pin, and a slot file     A lists the directory
test.each(['flock', 'other'])('a pin made between our two looks is not taken for the seed: protocol %s', (protocol) => {
  for (const ask of [
    (options: { readonly system: SystemCalls }, dir: string) => pinProtocol(dir, { protocol, slots: 256 }, options),
    ({ system }: { readonly system: SystemCalls }, dir: string) => readProtocolPin(dir, system),
  ]) {
    const dir = freshDir()
    let listings = 0
    // A looks for the pin, and finds none …
    const options = failing({
      readdir(path) {
        // … B makes the pin, and a slot file …
        pinProtocol(dir, { protocol, slots: 256 })
        writeFileSync(join(dir, 'slot_00.lock'), '4711\n')
        listings++
        // … A lists the directory.
        return systemCalls.readdir(path)
      },
    })
    expect(ask(options, dir)).toEqual({ protocol, slots: 256 })
    expect(listings).toBe(1)
  }
})

test('a directory that does not exist has no pin', () => {
  expect(readProtocolPin(join(freshDir(), 'missing'))).toBeUndefined()
})

test.each([
  ['', 'is not JSON'],
  ['{"format":1,"prot', 'is not JSON'],
  ['[]', 'has no format'],
  ['null', 'is not a JSON object'],
  ['{"protocol":"p","slots":5}', 'has no format'],
  ['{"format":3,"protocol":"p","slots":5}', 'has format 3'],
  ['{"format":2,"protocol":"p","slots":5,"folder":"../elsewhere"}', 'names a folder or a move that cannot be'],
  ['{"format":2,"protocol":"p","slots":5,"folder":7}', 'names a folder or a move that cannot be'],
  ['{"format":2,"protocol":"p","slots":5,"moving":{"to":7}}', 'names a folder or a move that cannot be'],
  ['{"format":2,"protocol":"p","slots":5,"moving":true}', 'names a folder or a move that cannot be'],
  ['{"format":2,"protocol":"p","slots":5,"moving":{"to":"q; rm -r ."}}', 'names a folder or a move that cannot be'],
  ['{"format":1,"protocol":"","slots":5}', 'does not name'],
  ['{"format":1,"protocol":"p\\u001b[31m","slots":5}', 'does not name'],
  ['{"format":1,"protocol":"p","slots":0}', 'does not name'],
  ['{"format":1,"protocol":"p","slots":"5"}', 'does not name'],
  ['{"format":1,"protocol":"p"}', 'does not name'],
])('a pin that is %j is refused and left alone', (content, problem) => {
  const dir = freshDir()
  const path = join(dir, PIN_FILE)
  writeFileSync(path, content)
  const refused = expect.objectContaining({
    code: 'PROCREF_PROTOCOL_UNREADABLE',
    path,
    message: expect.stringContaining(`${path} ${problem}`),
  })
  expect(() => readProtocolPin(dir)).toThrow(refused)
  expect(() => pinProtocol(dir, { protocol: 'p' })).toThrow(refused)
  expect(readFileSync(path, 'utf8')).toBe(content)
})

test('a symbolic link, a directory or a pipe in its place is refused with its path, and waited for by nobody', () => {
  const dir = freshDir()
  const path = join(dir, PIN_FILE)
  symlinkSync(join(dir, 'elsewhere'), path)
  expect(() => readProtocolPin(dir)).toThrow(expect.objectContaining({ code: 'PROCREF_SYMBOLIC_LINK', path }))
  rmSync(path)
  mkdirSync(path)
  expect(() => readProtocolPin(dir)).toThrow(expect.objectContaining({ code: 'PROCREF_PROTOCOL_UNREADABLE', path }))
  rmSync(path, { recursive: true })
  execFileSync('mkfifo', [path])
  expect(() => readProtocolPin(dir)).toThrow(expect.objectContaining({ code: 'PROCREF_PROTOCOL_UNREADABLE', path }))
})

test('of many processes that pin a directory at once with two sizes, those of one size win and all others are told', async () => {
  const PROCESSES = 12
  const ROUNDS = 20
  const parent = freshDir()
  const children = Array.from({ length: PROCESSES }, (_, n) =>
    atEnd(startChild(CHILD, { args: [n % 2 === 0 ? '11' : '22'] })),
  )
  await Promise.all(children.map((child) => child.event('ready')))
  let mixed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const dir = join(parent, String(round))
    mkdirSync(dir)
    for (const child of children) child.send(dir)
    const told = await Promise.all(children.map((child) => child.event<{ answer: string }>('done')))
    const winner = JSON.parse(readFileSync(join(dir, PIN_FILE), 'utf8')).slots
    for (const [n, { answer }] of told.entries()) {
      const wanted = n % 2 === 0 ? 11 : 22
      expect(answer).toBe(wanted === winner ? String(winner) : 'PROCREF_POOL_SIZE_MISMATCH')
    }
    if (told[0]?.answer !== 'PROCREF_POOL_SIZE_MISMATCH') mixed++
    expect(readdirSync(dir)).toEqual([PIN_FILE])
  }
  console.log(`${mixed} of ${ROUNDS} races were won by the first size`)
})

// A has written its temporary file
// B makes the pin
// A links: EEXIST, and takes B's
test('who comes second takes the pin that is there, and leaves nothing behind', () => {
  const dir = freshDir()
  const link = (existing: string, path: string): void => {
    pinProtocol(dir, { protocol: 'p', slots: 3 })
    systemCalls.link(existing, path)
  }
  expect(pinProtocol(dir, { protocol: 'p' }, failing({ link }))).toEqual({ protocol: 'p', slots: 3 })
  expect(readdirSync(dir)).toEqual([PIN_FILE])
})

// A has written its temporary file and is killed
// B makes the pin
test('what a killed maker left is in nobody’s way, and is no pin', async () => {
  const dir = freshDir()
  await using child = startChild(CHILD, { args: ['11', 'die-before-link'] })
  await child.event('ready')
  child.send(dir)
  expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
  expect(readdirSync(dir)).toEqual([expect.stringMatching(/^protocol\.json\..*\.tmp$/)])
  expect(readProtocolPin(dir)).toBeUndefined()
  expect(pinProtocol(dir, { protocol: 'p', slots: 22 })).toEqual({ protocol: 'p', slots: 22 })
})

test.each([
  ['open', 'EACCES', 'PROCREF_PERMISSION_DENIED'],
  ['pwrite', 'ENOSPC', 'PROCREF_DISK_FULL'],
  ['fsync', 'EDQUOT', 'PROCREF_DISK_FULL'],
  ['link', 'EROFS', 'PROCREF_READ_ONLY'],
  ['link', 'ENOTSUP', 'PROCREF_UNSUPPORTED_FILESYSTEM'],
  ['link', 'EPERM', 'PROCREF_UNSUPPORTED_FILESYSTEM'],
] as const)('%s failing with %s is %s, and leaves nothing behind', (call, name, code) => {
  const dir = freshDir()
  let fails = 0
  const fail = (...args: never[]): never => {
    // Reading the pin that is not there yet works as ever.
    if (call === 'open' && fails++ === 0) return (systemCalls.open as (...args: never[]) => never)(...args)
    throw errno(name)
  }
  expect(() => pinProtocol(dir, { protocol: 'p' }, failing({ [call]: fail }))).toThrow(
    expect.objectContaining({ code }),
  )
  expect(readdirSync(dir)).toEqual([])
})

test('a write that was cut short is a full disk, not a pin', () => {
  const dir = freshDir()
  const pwrite: SystemCalls['pwrite'] = (fd, bytes, position) => systemCalls.pwrite(fd, bytes.subarray(0, 9), position)
  expect(() => pinProtocol(dir, { protocol: 'p' }, failing({ pwrite }))).toThrow(
    expect.objectContaining({ code: 'PROCREF_DISK_FULL' }),
  )
  expect(readdirSync(dir)).toEqual([])
})

test('a cleanup that fails does not hide why the pin could not be made', () => {
  const dir = freshDir()
  expect(() => pinProtocol(dir, { protocol: 'p' }, failing({ link: throws('ENOSPC'), unlink: throws('EIO') }))).toThrow(
    expect.objectContaining({ code: 'PROCREF_DISK_FULL' }),
  )
})

test('on a disk that is really full no pin is made, and the error says so', () => {
  if (!isRoot()) return console.warn('not checked: only root can mount a small file system')
  const dir = atEnd(mountTmpfs({ bytes: 64 * 1024 })).path
  expect(() => writeFileSync(join(dir, 'big'), new Uint8Array(1024 * 1024))).toThrow('ENOSPC')
  expect(() => pinProtocol(dir, { protocol: 'p' })).toThrow(expect.objectContaining({ code: 'PROCREF_DISK_FULL' }))
  expect(readdirSync(dir)).toEqual(['big'])
})

test('a pin that is deleted at once is not mistaken for one that agrees', () => {
  const dir = freshDir()
  const link = (): void => {}
  expect(() => pinProtocol(dir, { protocol: 'p' }, failing({ link }))).toThrow(
    expect.objectContaining({ code: 'PROCREF_PROTOCOL_UNREADABLE' }),
  )
})

test.each(['', 'two words', 'a;b', '$(x)', 'x'.repeat(101)])('a protocol cannot be called %j', (protocol) => {
  const dir = freshDir()
  expect(() => pinProtocol(dir, { protocol })).toThrow(TypeError)
  expect(readProtocolPin(dir)).toBeUndefined()
})
