import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './workspace.ts'

const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8')

/** Cells of the tables name tests as `file`: name, several with <br> between. */
const claims = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .flatMap((line) => (line.split(' | ').at(-1) ?? '').replace(/ \|$/, '').split('<br>'))
  .flatMap((cell) => {
    const [, file, name] = /^`([^`]+)`: (.+)$/.exec(cell) ?? []
    return file === undefined || name === undefined ? [] : [{ file, name }]
  })

test('the page names tests', () => {
  expect(claims.length).toBeGreaterThan(60)
})

test.each(claims)('docs/reliability.md: $file has "$name"', ({ file, name }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(name)
})
