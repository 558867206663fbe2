import { slotFileName, slotOfFileName } from '@procref/core'
import { expect, test } from 'vitest'

test('names have two digits, and more from the hundredth slot on', () => {
  expect([0, 7, 42, 99, 100, 1234].map(slotFileName)).toEqual([
    'slot_00.lock',
    'slot_07.lock',
    'slot_42.lock',
    'slot_99.lock',
    'slot_100.lock',
    'slot_1234.lock',
  ])
})

test('every name leads back to its slot', () => {
  for (const slot of [0, 7, 42, 99, 100, 1234]) expect(slotOfFileName(slotFileName(slot))).toBe(slot)
})

test('a slot file that another program named with fewer or more digits is seen as well', () => {
  expect(slotOfFileName('slot_7.lock')).toBe(7)
  expect(slotOfFileName('slot_007.lock')).toBe(7)
})

test.each([
  'protocol.json',
  'slot_xx.lock',
  'slot_.lock',
  'slot_00.lock.lock',
  'xslot_00.lock',
  'slot_1234567890.lock',
])('%s is no slot file', (name) => {
  expect(slotOfFileName(name)).toBeUndefined()
})
