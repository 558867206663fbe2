import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { behaviours } from '@procref/conformance'
import { expect, test } from 'vitest'

const guide = readFileSync(join(import.meta.dirname, '../../../docs/writing-a-backend.md'), 'utf8')

test('the guide opens with the backend that is tested', () => {
  const backend = readFileSync(join(import.meta.dirname, 'honest/flock-program.mjs'), 'utf8')
  expect(/```js\n([\s\S]*?)```/.exec(guide)?.[1]).toBe(backend)
})

test('the guide lists every behaviour of the suite, in order', () => {
  const table = guide.slice(guide.indexOf('| behaviour |')).split('\n').slice(2)
  const names = table.flatMap((row) => /^\| ([a-z-]+) \|/.exec(row)?.[1] ?? [])
  expect(names).toEqual(behaviours.map(({ name }) => name))
})
