import { Mistake, parseReference } from '@procref/example-gsc'
import { expect, test } from 'vitest'

test.each([
  ['claim', { qualified: 'claim' }],
  [' Pool.claim ', { qualified: 'Pool.claim' }],
  ['pool::Pool::claim', { qualified: 'pool.Pool.claim' }],
  ['src/pool.ts#Pool.claim', { path: 'src/pool.ts', qualified: 'Pool.claim' }],
  ['./src/pool.ts#claim', { path: 'src/pool.ts', qualified: 'claim' }],
  ['src/pool.ts##size', { path: 'src/pool.ts', qualified: 'size' }],
  ['src/pool.ts#Pool.#size', { path: 'src/pool.ts', qualified: 'Pool.size' }],
  ['Pool.#size', { qualified: 'Pool.size' }],
  ['#size', { qualified: 'size' }],
])('%s is understood', (text, reference) => {
  expect(parseReference(text)).toEqual(reference)
})

test.each(['', ' ', '#', 'src/pool.ts#', 'Pool.', '.claim'])(
  '%j names no symbol, and the message shows how to',
  (text) => {
    expect(() => parseReference(text)).toThrow(Mistake)
    expect(() => parseReference(text)).toThrow(/path\/to\/file#name/)
  },
)
