import { expect, test } from 'vitest'
import { firstWords, StatementSplitter } from '../src/statement-splitter.ts'

/** However the text is cut into pieces. */
function split(text: string): readonly string[] {
  const wholes = [1, 2, 3, 7, text.length].map((size) => {
    const splitter = new StatementSplitter()
    const statements: string[] = []
    for (let at = 0; at < text.length; at += size) statements.push(...splitter.push(text.slice(at, at + size)))
    return [...statements, ...splitter.end()]
  })
  for (const whole of wholes) {
    expect(whole).toEqual(wholes[0])
    expect(whole.join('')).toBe(text.trim() === '' ? '' : text)
  }
  return (wholes[0] ?? []).map((statement) => statement.trim())
}

test.each([
  ['A; B; C', ['A;', 'B;', 'C']],
  ['A;', ['A;']],
  [' \n', []],
  [`A 'x;y'; B`, [`A 'x;y';`, 'B']],
  ['A "x;\\";y"; B', ['A "x;\\";y";', 'B']],
  ['A `x;y`; B ⟨x;y⟩; C', ['A `x;y`;', 'B ⟨x;y⟩;', 'C']],
  ['A -- x; y\n; B', ['A -- x; y\n;', 'B']],
  ['A # x; "\n; B // x; \'\n; C', ['A # x; "\n;', "B // x; '\n;", 'C']],
  ['A /* x; " */; B /*/ ; */; C', ['A /* x; " */;', 'B /*/ ; */;', 'C']],
  ['DEFINE EVENT e THEN { A; B; }; C', ['DEFINE EVENT e THEN { A; B; };', 'C']],
  ['A [ { b: (1; 2) } ]; B', ['A [ { b: (1; 2) } ];', 'B']],
  [`ASSERT $value = /[;"']/; B`, [`ASSERT $value = /[;"']/;`, 'B']],
  ['RETURN /a;b/; B', ['RETURN /a;b/;', 'B']],
  ['RETURN 4 / 2; B; C / 2', ['RETURN 4 / 2;', 'B;', 'C / 2']],
  ['RETURN (4) / 2; RETURN $x / 2; B', ['RETURN (4) / 2;', 'RETURN $x / 2;', 'B']],
  [`RETURN 'it\\'s;'; B`, [`RETURN 'it\\'s;';`, 'B']],
  ['A ] } ); B', ['A ] } );', 'B']],
])('%j is cut at its ends', (text, statements) => {
  expect(split(text)).toEqual(statements)
})

test('a string that never ends is one statement', () => {
  expect(split('A; B "x; C; D')).toEqual(['A;', 'B "x; C; D'])
})

test.each([
  ['RETURN                                        /a;b/; B', 2],
  ['RETURN 4                                      / 2; B; C / 2', 3],
  ["RETURN 'a text that is longer than all that is looked back at' / 2; B /", 2],
])('%j is cut at its ends: what a `/` is, is known from far before it', (text, statements) => {
  expect(split(text)).toHaveLength(statements)
})

test('a statement of 16 MB in many pieces is put together once: it would take many minutes otherwise', () => {
  const splitter = new StatementSplitter()
  const piece = `{ id: row:1, text: '${'x'.repeat(1_000)}' }, `
  splitter.push('INSERT [')
  const pieces = 16_000
  for (let i = 0; i < pieces; i++) expect(splitter.push(piece)).toEqual([])
  const [statement] = splitter.push('];\n')
  expect(statement?.length).toBe('INSERT ['.length + pieces * piece.length + '];'.length)
})

test.each([
  ['INSERT [', '];'],
  ['-- rows\nINSERT INTO `row` [', '] RETURN NONE;'],
])('%s … %s that becomes too long becomes several, of all its rows', (head, tail) => {
  const rows = Array.from({ length: 60 }, (_, i) => `{ id: row:${i}, list: [1, 2], text: '${'x],['.repeat(250_000)}' }`)
  const splitter = new StatementSplitter(20 * 1024 * 1024)
  const text = `A; ${head} ${rows.join(', ')} ${tail} B;`
  const statements: string[] = []
  let kept = 0
  for (let at = 0; at < text.length; at += 100_000) {
    statements.push(...splitter.push(text.slice(at, at + 100_000)))
    kept = Math.max(kept, splitter.length)
  }
  statements.push(...splitter.end())
  const [first, ...inserts] = statements.map((statement) => statement.trim())
  expect([first, inserts.pop()]).toEqual(['A;', 'B;'])
  expect(kept).toBeLessThan(40 * 1024 * 1024)
  expect(inserts.length).toBeGreaterThan(2)
  const found = inserts.map((insert, i) => {
    const end = i === inserts.length - 1 ? tail : '];'
    expect([insert.startsWith(head), insert.endsWith(end)]).toEqual([true, true])
    return insert.slice(head.length, -end.length).trim()
  })
  expect(found.join(', ') === rows.join(', ')).toBe(true)
})

test('what is no INSERT of a list stays one, however long', () => {
  const rows = Array(40).fill(`(1, '${'x'.repeat(1024 * 1024)}')`)
  for (const text of [`INSERT INTO a (b, c) VALUES ${rows.join(', ')};`, `LET $a = [${rows.join(', ')}];`]) {
    const splitter = new StatementSplitter(1024 * 1024)
    const statements: string[] = []
    for (let at = 0; at < text.length; at += 1_000_000)
      statements.push(...splitter.push(text.slice(at, at + 1_000_000)))
    expect([...statements, ...splitter.end()].map(({ length }) => length)).toEqual([text.length])
  }
})

test('no more is kept than the statement that is not complete', () => {
  const splitter = new StatementSplitter()
  for (let i = 0; i < 1_000; i++) splitter.push(`CREATE a:${i} SET text = 'some text';\n`)
  expect(splitter.length).toBeLessThan(100)
})

test.each([
  ['-- a dump\n/* of */ option   import;', 'OPTION IMPORT'],
  ['  BEGIN;', 'BEGIN'],
  ['# x\nLET $a = 1', 'LET $A = 1'],
])('%j begins with %s', (statement, words) => {
  expect(firstWords(statement)).toBe(words)
})
