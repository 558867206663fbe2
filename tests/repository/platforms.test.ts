import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './workspace.ts'

interface Result {
  readonly platform: string
  readonly target: string
  readonly on: string
  readonly node: string
  readonly rust: { readonly passed: number; readonly failed: readonly string[]; readonly leftOut: readonly string[] }
  readonly behaviours?: readonly string[]
  readonly claims: number
  readonly notTrue: readonly string[]
}

const page = readFileSync(join(root, 'docs/platforms.md'), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| '))
const folder = join(root, 'tests/other-platforms/results')
const results = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result)

test('docs/platforms.md has a row for every target that is published', () => {
  const manifest = readFileSync(join(root, 'packages/native/package.json'), 'utf8')
  const { targets } = (JSON.parse(manifest) as { readonly napi: { readonly targets: readonly string[] } }).napi
  for (const target of targets) {
    expect(
      rows.filter((row) => row.startsWith(`| \`${target}\``)),
      target,
    ).toHaveLength(1)
  }
})

test.each(results)('docs/platforms.md says of $platform what was seen', (result) => {
  const row = rows.find((line) => line.startsWith(`| \`${result.target}\``))
  const { claims, notTrue, on, node, rust } = result
  expect(rust.failed).toEqual([])
  expect(row).toContain(`| ${rust.passed} pass | ${claims - notTrue.length} of ${claims} claims, ${on}, Node ${node} |`)
  for (const claim of notTrue)
    expect(
      rows.some((line) => line.startsWith(`| ${claim} |`)),
      claim,
    ).toBe(true)
  for (const test of rust.leftOut) expect(page).toContain(`\`${test}`)
  if (result.behaviours !== undefined) expect(page).toContain(`Behaviours: ${result.behaviours.join(', ')}.`)
})

test('docs/platforms.md names no claim that is true', () => {
  const named = rows.filter((row) => /^\| [a-z-]+: /.test(row)).map((row) => row.slice(2, row.lastIndexOf(' | ')))
  expect(named.toSorted()).toEqual(results.flatMap(({ notTrue }) => notTrue).toSorted())
})
