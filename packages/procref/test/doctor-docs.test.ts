import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { CHECKS } from '../dist/doctor/checks/index.js'

const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8')
/** `| id | looks at | codes |` */
const rows = [...page.matchAll(/^\| `([\w-]+)` \| (.+?) \| (.*?) \|$/gm)].map(([, id, looksAt, codes = '']) => ({
  id,
  looksAt,
  codes: [...codes.matchAll(/`([\w-]+)`/g)].map((match) => match[1]).sort(),
}))

/** The codes that stand in the file of a check; those of entries (links, modes) are in one place for all. */
function codesOf(id: string): readonly string[] {
  const source = readFileSync(new URL(`../src/doctor/checks/${id}.ts`, import.meta.url), 'utf8')
  const values = [...source.matchAll(/\bcode: ([^,\n]+(?:\n\s+[?:][^,\n]+)*)/g)].map((match) => match[1] ?? '')
  return [
    ...new Set(values.flatMap((value) => [...value.matchAll(/'([\w-]+)'/g)].map((match) => match[1] ?? ''))),
  ].sort()
}

test('docs/doctor.md lists exactly the checks that there are, with what they look at and the codes of their findings', () => {
  expect(CHECKS.length).toBeGreaterThan(20)
  expect(rows).toEqual(CHECKS.map(({ id, looksAt }) => ({ id, looksAt, codes: codesOf(id) })))
})
