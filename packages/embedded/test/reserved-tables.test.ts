import { expect, test } from 'vitest'
import { quoteReservedTables } from '../src/reserved-tables.ts'

test.each([
  ['[{ id: select:1 }]', '[{ id: `select`:1 }]'],
  ['[SELECT:a, table:[1], a:1]', '[`SELECT`:a, `table`:[1], a:1]'],
  ['{ select: 1, value: update:1 }', '{ select: 1, value: `update`:1 }'],
  [`['select:1', "select:1 'x", \`select\`:1, ⟨select⟩:1]`, `['select:1', "select:1 'x", \`select\`:1, ⟨select⟩:1]`],
  [`['it\\'s select:1', select:1]`, `['it\\'s select:1', \`select\`:1]`],
  ['[$select, a_select:1, math::pi]', '[$select, a_select:1, math::pi]'],
])('%s is written %s', (values, quoted) => {
  expect(quoteReservedTables(values)).toBe(quoted)
})
