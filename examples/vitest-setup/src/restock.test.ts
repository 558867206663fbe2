import { expect } from 'vitest'
import { test } from '../setup/database.ts'
import { leftOf, restock } from './stock.ts'

test('nothing is there before somebody brings it', async ({ db }) => {
  // The other file fills a shelf of the same name, in its own database.
  expect(await leftOf(db, 'tea')).toBe(0)
})

test('what is brought comes on top of what is there', async ({ db }) => {
  expect(await restock(db, 'tea', 2)).toBe(2)
  expect(await restock(db, 'tea', 3)).toBe(5)
})
