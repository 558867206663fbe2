import { encodeRecord, parseRecord, RECORD_BYTES } from '@procref/core'
import { expect, test } from 'vitest'

const RECORD = { pid: 123456, label: 'editor', startedAt: '2026-01-02T03:04:05.678Z', program: 'node server.js' }

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** What is in the file after the seed's program has written its line over the beginning. */
function overwritten(bytes: Uint8Array, line: string): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy.set(new TextEncoder().encode(line))
  return copy
}

test('a record is the pid, a line feed, and JSON padded with spaces to 512 bytes', () => {
  const bytes = encodeRecord(RECORD)
  expect(bytes.length).toBe(RECORD_BYTES)
  expect(RECORD_BYTES).toBe(512)
  const [pid, json = ''] = text(bytes).split('\n')
  expect(pid).toBe('123456')
  expect(JSON.parse(json)).toEqual(RECORD)
  expect(json.trimEnd().length).toBeLessThan(json.length)
})

test('what was written is read back, with and without the optional parts', () => {
  expect(parseRecord(encodeRecord(RECORD))).toEqual(RECORD)
  expect(parseRecord(encodeRecord({ pid: 7 }))).toEqual({ pid: 7 })
})

test('texts that are too long are cut, the program first, and characters stay whole', () => {
  const long = { pid: 4_194_304, label: 'é', program: '🦀'.repeat(1000) }
  const cut = parseRecord(encodeRecord(long))
  expect(encodeRecord(long).length).toBe(RECORD_BYTES)
  expect(cut?.label).toBe('é')
  expect(cut?.program).toMatch(/^🦀{50,}$/u)

  const both = encodeRecord({ pid: 1, label: '"'.repeat(600), program: '\\'.repeat(600) })
  expect(both.length).toBe(RECORD_BYTES)
  expect(parseRecord(both)?.label).toMatch(/^"{100,}$/)
})

test.each([
  ['a shorter pid', '42\n'],
  ['a pid of the same length', '654321\n'],
  ['a longer pid', '4194304\n'],
])('of a record under %s of the seed’s program only the new pid counts', (_, line) => {
  expect(parseRecord(overwritten(encodeRecord(RECORD), line))).toEqual({ pid: Number(line) })
})

test('the same pid written over its own record leaves the record as it is', () => {
  expect(parseRecord(overwritten(encodeRecord(RECORD), '123456\n'))).toEqual(RECORD)
})

test('a file of the seed’s program alone names its pid', () => {
  expect(parseRecord(new TextEncoder().encode('4711\n'))).toEqual({ pid: 4711 })
  expect(parseRecord(new TextEncoder().encode('4711\r\n'))).toEqual({ pid: 4711 })
})

test.each(['', '\n', '4711', '0\n', '-1\n', '12345678901\n', 'pid 3\n', '{}\n', '\0\0\0\0', '4711 \n', ' 4711\n'])(
  'a file that begins with %j names nobody',
  (content) => {
    expect(parseRecord(new TextEncoder().encode(content))).toBeUndefined()
  },
)

test.each(['null', '[]', '3', '{"pid":1', '{"pid":"4711"}', '{"pid":4711,"label":3}'])(
  'details that are %s add nothing to the pid',
  (json) => {
    expect(parseRecord(new TextEncoder().encode(`4711\n${json}`))).toEqual({ pid: 4711 })
  },
)

test('control characters that somebody else wrote do not reach a terminal', () => {
  const bytes = new TextEncoder().encode(`5\n${JSON.stringify({ pid: 5, label: 'a\u001b[2Jb\nc\u009bd' })}`)
  expect(parseRecord(bytes)?.label).toBe('a [2Jb c d')
})
