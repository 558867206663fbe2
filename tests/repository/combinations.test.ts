import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './workspace.ts'

const SOAK = 'tests/soak'

test('every test that CI takes with one kind of server in turn is taken with each by `pnpm soak combinations`', () => {
  const inTurn = ['packages', 'tests']
    .flatMap(testsBelow)
    .filter((file) => /\b(shareOf|testsInTurn)\(/.test(text(file)))
  const soak = text(`${SOAK}/combinations.soak.ts`)
  const there = [...soak.matchAll(/await import\('(.*)'\)/g)].map(([, path = '']) => join(SOAK, path))
  expect(there.sort()).toEqual(inTurn.filter((file) => !file.endsWith('/share-of.test.ts')).sort())
  expect(there.length).toBeGreaterThan(10)
})

const text = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Relative to the root. */
function testsBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(({ name, parentPath }) => name.endsWith('.test.ts') && !parentPath.includes('node_modules'))
    .map(({ name, parentPath }) => relative(root, join(parentPath, name)))
}
