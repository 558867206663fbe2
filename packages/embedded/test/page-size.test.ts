import { expect, test } from 'vitest'
import { PageSize } from '../src/page-size.ts'

/** How many rows each page has, when so many rows of a table are each so long. */
function pagesOf(lengths: readonly number[]): readonly number[] {
  const size = new PageSize()
  const pages: number[] = []
  for (let from = 0; from < lengths.length; from += pages.at(-1) as number) {
    const page = lengths.slice(from, from + size.rows)
    pages.push(page.length)
    size.learn(
      page.length,
      page.reduce((sum, length) => sum + length, 0),
    )
  }
  return pages
}

test('short rows make pages that grow to 250 rows', () => {
  expect(pagesOf(Array(1_000).fill(10))).toEqual([4, 16, 64, 250, 250, 250, 166])
})

test('pages of long rows are a mebibyte long, or one row', () => {
  expect(pagesOf(Array(212).fill(10_000))).toEqual([4, 16, 64, 104, 24])
  expect(pagesOf(Array(7).fill(1_000_000))).toEqual([4, 1, 1, 1])
  expect(pagesOf(Array(6).fill(5_000_000))).toEqual([4, 1, 1])
})

test('rows that become longer make one long page, and rows that become shorter again no small ones for long', () => {
  const pages = pagesOf([...Array(334).fill(10), ...Array(252).fill(1_000_000), ...Array(400).fill(10)])
  expect(pages).toEqual([4, 16, 64, 250, 250, 1, 1, 1, 4, 16, 64, 250, 65])
})

test('rows without any text are possible', () => {
  expect(pagesOf(Array(5).fill(0))).toEqual([4, 1])
})
