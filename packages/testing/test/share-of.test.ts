import { afterEach, expect, test, vi } from 'vitest'
import { shareOf } from '../src/share-of.ts'

const ITEMS = [0, 1, 2, 3, 4, 5, 6]
const ALL = ['a', 'b', 'c'] as const

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

test('every item is tested with somebody, and with nobody else', () => {
  for (const turn of [0, 1, 2]) expect(ALL.flatMap((one) => shareOf(ITEMS, one, ALL, turn)).sort()).toEqual(ITEMS)
})

test('another turn tests each item with somebody else', () => {
  for (const one of ALL) {
    expect(shareOf(ITEMS, one, ALL, 1).filter((item) => shareOf(ITEMS, one, ALL).includes(item))).toEqual([])
  }
})

test('who is alone has all of them', () => {
  for (const turn of [0, 1]) expect(shareOf(ITEMS, 'a', ['a'], turn)).toEqual(ITEMS)
})

test('PROCREF_EVERY_COMBINATION=1: everybody has all of them', async () => {
  vi.stubEnv('PROCREF_EVERY_COMBINATION', '1')
  vi.resetModules()
  const { shareOf: allOf } = await import('../src/share-of.ts')
  for (const one of ALL) expect(allOf(ITEMS, one, ALL)).toEqual(ITEMS)
})
