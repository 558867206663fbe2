import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { readConfigFile } from '../../dist/state/config-file.js'

function read(text: string): unknown {
  const path = join(freshDir(), 'config.json')
  writeFileSync(path, text)
  return readConfigFile(path)
}

function refused(line: number, message: RegExp): unknown {
  return expect.objectContaining({ code: 'PROCREF_CONFIG_FILE', line, message: expect.stringMatching(message) })
}

test('no file and an empty object are no settings', () => {
  expect(readConfigFile(join(freshDir(), 'config.json'))).toEqual({})
  expect(read('{}')).toEqual({})
})

test('all settings are read', () => {
  const settings = { storage: 'surrealkv', port: 8000, slots: 1000, lingerMs: 0 }
  expect(read(JSON.stringify(settings))).toEqual(settings)
})

test('bad JSON is refused with path and line', () => {
  const cases: [string, number][] = [
    ['', 1],
    ['{', 1],
    ['{\n  "port": 1,\n}', 3],
    ['{\n  "port": 1\n  "slots": 2\n}', 3],
    ['{\n  // no comments\n  "port": 1\n}', 2],
    ['{\n  "port": 01\n}', 2],
    ['{\n  port: 1\n}', 2],
    ['{\n  "port": 1\n}\n}', 4],
    ['{"a": [1,\n2,\n]}', 3],
    ['{"a": "tab\there"}', 1],
    ['{"a": "\\x"}', 1],
    ['{"a":\n"never ends', 2],
    ['{"a": truely}', 1],
    ["{'port': 1}", 1],
    ['{\n"a": {"b": [1, {}]},\n"c" 1}', 3],
    ['\n\n\ufeff{}', 3],
  ]
  for (const [text, line] of cases) {
    expect(() => read(text), text).toThrow(refused(line, /config\.json, line \d+: this is not valid JSON/))
  }
})

test('a setting that does not exist is refused with its line and the ones that do', () => {
  expect(() => read('{\n  "port": 8000,\n  "lingerms": 5\n}')).toThrow(
    refused(3, /"lingerms".*storage, port, slots, lingerMs/),
  )
  expect(() => read('{"toString": 1}')).toThrow(refused(1, /"toString"/))
  expect(() => read('{"__proto__": 1}')).toThrow(refused(1, /"__proto__"/))
})

test('a setting with a wrong value is refused with its line and what it must be', () => {
  const cases: [string, string][] = [
    ['storage', '"floppy"'],
    ['storage', '1'],
    ['port', '0'],
    ['port', '65536'],
    ['port', '"8000"'],
    ['slots', '0'],
    ['slots', '1.5'],
    ['slots', '100001'],
    ['slots', '[1, {"port": 2}]'],
    ['lingerMs', '-1'],
    ['lingerMs', '1e300'],
    ['lingerMs', 'null'],
  ]
  for (const [key, value] of cases) {
    const text = `{\n\n  "${key}": ${value}}`
    expect(() => read(text), text).toThrow(refused(3, new RegExp(`${key} must be .* not `)))
  }
})

test('the line is that of the key itself, not of a text like it, and the last of two', () => {
  expect(() => read('{"storage": "memory",\n"port": 1,\n"slots": 5,\n"p\\u006frt": 0}')).toThrow(
    refused(4, /port must be/),
  )
})

test('what nests deeper than calls can is refused as well, with its line', () => {
  const nested = (text: string, depth: number): string => `${'{"a":['.repeat(depth)}${text}${']}'.repeat(depth)}`
  const deep = nested('1', 20_000)
  expect(() => read(`{"slots": ${deep},\n"port": 0}`)).toThrow(refused(1, /slots must be .* not /))
  expect(() => read(`{"a": ${deep},\n"port": 0\n}`)).toThrow(refused(1, /"a"/))
  expect(() => read(`{"port": 1,\n"b":\n${nested('oops', 20_000)}}`)).toThrow(refused(3, /not valid JSON/))
})

test('what is no object is refused', () => {
  for (const text of ['[]', 'null', '"port"', '1'])
    expect(() => read(text)).toThrow(refused(1, /must contain an object/))
})

test('a link or a directory in its place is refused', () => {
  const dir = freshDir()
  symlinkSync('/etc/hostname', join(dir, 'config.json'))
  const unsafe = expect.objectContaining({ code: 'PROCREF_STATE_FILE_UNSAFE' })
  expect(() => readConfigFile(join(dir, 'config.json'))).toThrow(unsafe)
  mkdirSync(join(dir, 'directory.json'))
  expect(() => readConfigFile(join(dir, 'directory.json'))).toThrow(unsafe)
})

test('control characters of a file, those that JSON leaves as they are too, do not reach the terminal', () => {
  const path = join(freshDir(), 'config.json')
  for (const text of ['{"str\u009bage":1}', '{"storage":"\u007f\u009b31m"}']) {
    writeFileSync(path, text, { mode: 0o600 })
    expect(() => readConfigFile(path)).toThrow(/\\u009b/)
    expect(() => readConfigFile(path)).not.toThrow(/\p{Cc}/u)
  }
})
