import { decodeFirst } from 'cborg'
import { BoundIncluded, Decimal, Duration, GeometryPoint, Range, RecordId, Table, Uuid } from 'surrealdb'
import { expect, test } from 'vitest'
import { endOfValue, Walk } from '../src/cbor-walk.ts'
import { codec } from './raw-client.ts'

const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  23,
  24,
  255,
  256,
  65_536,
  2 ** 40,
  -1,
  -(2 ** 40),
  1.5,
  'text',
  'x'.repeat(300),
  'ü⟨⟩',
  new Uint8Array(70_000),
  [],
  {},
  [[[]], {}, [1, [2, { a: [3] }]]],
  Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, { i, list: [i, [i]] }])),
  new Uuid('11111111-1111-4111-8111-111111111111'),
  new RecordId('table', { id: [1, new Date()] }),
  new Table('table'),
  new Decimal('1.25'),
  new Duration('1h3m'),
  new Range(new BoundIncluded(1), new BoundIncluded(new RecordId('a', 1))),
  new GeometryPoint([1, 2]),
]

test('a value ends where it ends, and nothing that is shorter is a value', () => {
  for (const value of VALUES) {
    const bytes = Buffer.from(codec.encode(value))
    const followed = Buffer.concat([bytes, Buffer.of(0x00, 0xff)])
    expect(endOfValue(followed, 0)).toBe(bytes.length)
    for (let length = Math.max(0, bytes.length - 100); length < bytes.length; length++) {
      expect(() => endOfValue(bytes.subarray(0, length), 0)).toThrow()
    }
  }
})

test('a step at a time leads to the same end', () => {
  const bytes = Buffer.from(codec.encode(VALUES))
  const walk = new Walk(bytes, 0)
  let steps = 1
  while (!walk.advance(1)) steps++
  expect(walk.at).toBe(bytes.length)
  expect(steps).toBeGreaterThan(1_000)
})

test.each([
  ['a list without an end', '9f01'],
  ['a break outside', 'ff'],
  ['a break in a list of stated length', '82 01 ff'],
  ['a break between a key and its value', 'bf 6161 ff'],
  ['a break after a tag', '9f c6 ff'],
  ['a tag of nothing', 'c6'],
  ['more items than there are bytes', '9a ffffffff 00'],
  ['more bytes than there are', '5b ffffffffffffffff 00'],
  ['a length that is reserved', '1c'],
  ['a number of indefinite length', '1f'],
  ['text in pieces', '7f 6161 ff'],
  ['a simple value that is none', 'e0'],
  ['a simple value in two bytes', 'f8 20'],
  ['half a float', 'fb 00 00'],
  ['half a number', '1a 00 00'],
])('refused: %s', (_name, hex) => {
  expect(() => endOfValue(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 0)).toThrow(/^CBOR: /)
})

test('nesting that the engine would not read takes no memory here either', () => {
  expect(() => endOfValue(Buffer.alloc(1_000_000, 0x81), 0)).toThrow(/nested too deep/)
  expect(() => endOfValue(Buffer.alloc(1_000_000, 0x9f), 0)).toThrow(/nested too deep/)
})

test('random bytes end where another reader says', () => {
  const tags = Object.fromEntries(Array.from({ length: 256 }, (_, tag) => [tag, (content: () => unknown) => content()]))
  // The same bytes in every run.
  let seed = 12_345
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return seed >>> 8
  }
  let agreed = 0
  for (let i = 0; i < 30_000; i++) {
    const bytes = Buffer.from(Array.from({ length: 1 + (random() % 12) }, () => random() & 0xff))
    let theirs: number | undefined
    try {
      theirs = bytes.length - decodeFirst(bytes, { tags, useMaps: true }).at(1).length
    } catch {
      // Also for reasons that are none of a value's end, such as a key that is repeated.
      continue
    }
    let ours: number
    try {
      ours = endOfValue(bytes, 0)
    } catch (error) {
      // The other one lets a map end after a key.
      expect(String(error), bytes.toString('hex')).toMatch(/unexpected break/)
      continue
    }
    expect(ours, bytes.toString('hex')).toBe(theirs)
    agreed++
  }
  expect(agreed).toBeGreaterThan(5_000)
})
