import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const ITEMS = [0, 1, 2, 3, 4, 5, 6]
const ALL = ['a', 'b', 'c'] as const

// It is read once, and whoever runs the tests may have set it.
beforeEach(() => vi.stubEnv('PROCREF_EVERY_COMBINATION', undefined))
afterEach(() => vi.unstubAllEnvs())

async function load() {
  vi.resetModules()
  return await import('../src/share-of.ts')
}

type Loaded = Awaited<ReturnType<typeof load>>
type Choose = (loaded: Loaded, one: string, all: readonly string[]) => readonly number[]

/** The numbers of the tests that are registered. */
const registered: Choose = ({ testsInTurn }, one, all) => {
  const names: string[] = []
  const testInTurn = testsInTurn((name: string) => void names.push(name), one, all)
  for (const item of ITEMS) testInTurn(String(item), async () => {})
  return names.map(Number)
}

describe.each<[string, Choose]>([
  ['shareOf()', ({ shareOf }, one, all) => shareOf(ITEMS, one, all)],
  ['testsInTurn()', registered],
])('%s', (_name, choose) => {
  test('every item is tested with somebody, and with nobody else', async () => {
    const loaded = await load()
    expect(ALL.flatMap((one) => choose(loaded, one, ALL)).sort()).toEqual(ITEMS)
  })

  test('who is alone has all of them', async () => {
    const loaded = await load()
    expect(choose(loaded, 'a', ['a'])).toEqual(ITEMS)
  })

  test('PROCREF_EVERY_COMBINATION=1: everybody has all of them', async () => {
    vi.stubEnv('PROCREF_EVERY_COMBINATION', '1')
    const loaded = await load()
    for (const one of ALL) expect(choose(loaded, one, ALL)).toEqual(ITEMS)
  })
})

test('with another turn shareOf() tests each item with somebody else', async () => {
  const { shareOf } = await load()
  expect(ALL.flatMap((one) => shareOf(ITEMS, one, ALL, 1)).sort()).toEqual(ITEMS)
  for (const one of ALL) {
    const others = shareOf(ITEMS, one, ALL, 1)
    expect(others.filter((item) => shareOf(ITEMS, one, ALL).includes(item))).toEqual([])
  }
  for (const turn of [0, 1]) expect(shareOf(ITEMS, 'a', ['a'], turn)).toEqual(ITEMS)
})

test('testsInTurn() hands on what belongs to a test', async () => {
  const { testsInTurn } = await load()
  const test = vi.fn()
  const body = async (): Promise<void> => {}
  const testInTurn = testsInTurn(test, 'a', ['a'])
  testInTurn('one', body)
  testInTurn('two', { timeout: 1_000 }, body)
  expect(test.mock.calls).toEqual([
    ['one', body],
    ['two', { timeout: 1_000 }, body],
  ])
})
