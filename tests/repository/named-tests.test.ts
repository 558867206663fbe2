import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './workspace.ts'

const PAGES = [
  { page: 'docs/reliability.md', atLeast: 60 },
  { page: 'docs/where-processes-live.md', atLeast: 25 },
  { page: 'SECURITY.md', atLeast: 30 },
]

describe.each(PAGES)('$page', ({ page, atLeast }) => {
  /** Cells of the tables name tests as `file`: name, several with <br> between. */
  const claims = readFileSync(join(root, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => (line.split(' | ').at(-1) ?? '').replace(/ \|$/, '').split('<br>'))
    .flatMap((cell) => {
      const [, file, name] = /^`([^`]+)`: (.+)$/.exec(cell) ?? []
      return file === undefined || name === undefined ? [] : [{ file, name }]
    })

  test('names tests', () => {
    expect(claims.length).toBeGreaterThanOrEqual(atLeast)
  })

  test.each(claims)('$file has "$name"', ({ file, name }) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(name)
  })
})
