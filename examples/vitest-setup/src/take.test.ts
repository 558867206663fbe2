import { expect } from 'vitest'
import { test } from '../setup/database.ts'
import { leftOf, restock, SoldOutError, take } from './stock.ts'

test('what is taken is gone', async ({ db }) => {
  await restock(db, 'tea', 3)
  expect(await take(db, 'tea', 2)).toBe(1)
  expect(await leftOf(db, 'tea')).toBe(1)
})

test('more than there is cannot be taken, and nothing is', async ({ db }) => {
  await restock(db, 'milk', 1)
  await expect(take(db, 'milk', 2)).rejects.toThrow(SoldOutError)
  expect(await leftOf(db, 'milk')).toBe(1)
})

test('of ten who want one of the last three, three get it', async ({ db }) => {
  await restock(db, 'sugar', 3)
  const tried = await Promise.allSettled(Array.from({ length: 10 }, () => take(db, 'sugar', 1)))
  expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  expect(await leftOf(db, 'sugar')).toBe(0)
})
