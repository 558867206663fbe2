import { CborCodec, FileRef } from 'surrealdb'
import { expect, test } from 'vitest'
import { withFilesAsVariables } from '../src/file-literals.ts'

const codec = new CborCodec({})

/** A statement without its file literals, and the files. */
function read(values: string): readonly [string, unknown] {
  const { statements, variables } = withFilesAsVariables([`INSERT [ { v: ${values} } ];`])
  return [`${statements}`.slice('INSERT [ { v: '.length, -' } ];'.length), codec.decode(variables)]
}

test.each([
  ['f"bucket:/a/b.txt"', 'bucket', '/a/b.txt'],
  ["f'b:/k'", 'b', '/k'],
  ['f"b\\:c\\ \\"d:/\\\'\\é\\🎉\\:x"', 'b:c "d', "/'é🎉:x"],
])('%s is a variable', (literal, bucket, key) => {
  expect(read(literal)).toEqual(['$file_of_dump_0', { file_of_dump_0: new FileRef(bucket, key) }])
})

test('each has a variable of its own, in all statements', () => {
  const { statements, variables } = withFilesAsVariables(['INSERT [f"a:/a"];', '-- x\nINSERT [{ f: [f"b:/b"] }];'])
  expect(statements).toEqual(['INSERT [$file_of_dump_0];', '-- x\nINSERT [{ f: [$file_of_dump_1] }];'])
  const files = { file_of_dump_0: new FileRef('a', '/a'), file_of_dump_1: new FileRef('b', '/b') }
  expect(codec.decode(variables)).toEqual(files)
})

test.each([
  `'f"b:/k"'`,
  `"f'b:/k'"`,
  'a:⟨f"b:/k"⟩',
  'a:`f"b:/k"`',
  '/x f"b:\\/k"/',
  '[/f"b:\\/k"/, 1]',
  'elf"b:/k"',
  'f"no colon"',
  `1 / 2, b: 'x/y f"b:/k"', c: 4 / 2`,
])('%s is left as it is', (value) => {
  expect(read(value)).toEqual([value, {}])
})

test('a definition is left as it is: a variable would be another thing there', () => {
  const definition = 'DEFINE FIELD a ON b DEFAULT f"b:/k";'
  expect(withFilesAsVariables([definition]).statements).toEqual([definition])
})
