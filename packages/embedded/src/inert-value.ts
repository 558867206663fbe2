/** One piece of a value's text; what none of them fits is no value. */
const PIECES: readonly (readonly [kind: 'space' | 'text' | 'number' | 'word' | 'point' | 'mark', pattern: RegExp])[] = [
  ['space', /\s+/y],
  ['text', /[a-z]?"(?:\\.|[^"\\])*"/sy],
  ['text', /[a-z]?'(?:\\.|[^'\\])*'/sy],
  ['text', /`(?:\\.|[^`\\])*`|⟨[^⟩]*⟩/sy],
  // It never ends: the parser will say so.
  ['text', /["'`⟨].*/sy],
  ['number', /\d[\w.]*/y],
  // A variable, a constant, a word of its own meaning, the key of an object, the table of a record id; after `:`, what a record id ends with.
  [
    'word',
    /\$[A-Za-z_]\w*|[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+|(?:none|null|true|false)\b|[A-Za-z_]\w*(?=\s*:)|(?<=:)[A-Za-z_]\w*/iy,
  ],
  ['point', /\(\s*-?\d[\d.]*\s*,\s*-?\d[\d.]*\s*\)/y],
  ['mark', /[{}[\],:-]/y],
]

/**
 * Is this text one value of SurrealQL, written out: literals, lists, objects, `$variables`, and nothing that is carried out? An estimate
 * that lets through what may be one: two words beside each other are a statement, a bracket behind a word is a call, operators, comments
 * and `;` belong to no value. What is wrong inside a value is for the engine's parser to say.
 */
export function isInertValue(text: string): boolean {
  let before: string | undefined
  for (let at = 0; at < text.length; ) {
    const piece = pieceAt(text, at)
    if (piece === undefined) return false
    at = piece.end
    if (piece.kind === 'space') continue
    if (piece.kind !== 'mark' && before !== undefined && before !== 'mark') return false
    before = piece.kind
  }
  return before !== undefined
}

function pieceAt(text: string, at: number): { readonly kind: string; readonly end: number } | undefined {
  for (const [kind, pattern] of PIECES) {
    pattern.lastIndex = at
    if (pattern.test(text)) return { kind, end: pattern.lastIndex }
  }
  return undefined
}
