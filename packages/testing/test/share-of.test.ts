import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const ITEMS = [0, 1, 2, 3, 4, 5, 6]
const ALL = ['a', 'b', 'c'] as const

// It is read once, and whoever runs the tests may have set it.
beforeEach(() => vi.stubEnv('PROCREF_EVERY_COMBINATION', undefined))
afterEach(() => vi.unstubAllEnvs())

async function load() {
  vi.resetModules()
  return (await import('../src/share-of.ts')).shareOf
}

test('every item is tested with somebody, and with nobody else', async () => {
  const shareOf = await load()
  for (const turn of [0, 1, 2]) expect(ALL.flatMap((one) => shareOf(ITEMS, one, ALL, turn)).sort()).toEqual(ITEMS)
})

test('another turn tests each item with somebody else', async () => {
  const shareOf = await load()
  for (const one of ALL) {
    expect(shareOf(ITEMS, one, ALL, 1).filter((item) => shareOf(ITEMS, one, ALL).includes(item))).toEqual([])
  }
})

test('who is alone has all of them', async () => {
  const shareOf = await load()
  for (const turn of [0, 1]) expect(shareOf(ITEMS, 'a', ['a'], turn)).toEqual(ITEMS)
})

test('PROCREF_EVERY_COMBINATION=1: everybody has all of them', async () => {
  vi.stubEnv('PROCREF_EVERY_COMBINATION', '1')
  const shareOf = await load()
  for (const one of ALL) expect(shareOf(ITEMS, one, ALL)).toEqual(ITEMS)
})
