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
])('%s is in the variable', (literal, bucket, key) => {
  expect(read(literal)).toEqual(['$files_of_dump[0]', { files_of_dump: [new FileRef(bucket, key)] }])
})

test('each has a place of its own in the variable, in all statements', () => {
  const { statements, variables } = withFilesAsVariables(['INSERT [f"a:/a"];', '-- x\nINSERT [{ f: [f"b:/b"] }];'])
  expect(statements).toEqual(['INSERT [$files_of_dump[0]];', '-- x\nINSERT [{ f: [$files_of_dump[1]] }];'])
  expect(codec.decode(variables)).toEqual({ files_of_dump: [new FileRef('a', '/a'), new FileRef('b', '/b')] })
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
  expect(read(value)).toEqual([value, { files_of_dump: [] }])
})

test('a dump may have any number of them', () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `f"b:/${n}"`)
  const { variables } = withFilesAsVariables([`INSERT [${many}];`])
  expect(codec.decode(variables)).toEqual({ files_of_dump: many.map((_, n) => new FileRef('b', `/${n}`)) })
})

test('a definition is left as it is: a variable would be another thing there', () => {
  const definition = 'DEFINE FIELD a ON b DEFAULT f"b:/k";'
  expect(withFilesAsVariables([definition]).statements).toEqual([definition])
})
