/** What a text is in the middle of; a quote is named by the character that ends it. */
type Inside = '' | "'" | '"' | '`' | '⟩' | 'regex' | 'line comment' | 'block comment'

const CLOSING: Readonly<Record<string, Inside>> = { "'": "'", '"': '"', '`': '`', '⟨': '⟩' }
/** What means nothing there, and is passed over at once. */
const MEANINGLESS: Readonly<Record<Inside, RegExp>> = {
  '': /[^;'"`⟨{}[\]()#/-]+/y,
  "'": /[^'\\]+/y,
  '"': /[^"\\]+/y,
  '`': /[^`\\]+/y,
  '⟩': /[^⟩\\]+/y,
  regex: /[^/\\]+/y,
  'line comment': /[^\n\r\u0085\u2028\u2029]+/y,
  'block comment': /[^*]+/y,
}
/** After one of these a `/` begins a regular expression; after another word, a number or a closing bracket it divides. */
const BEFORE_REGEX = new Set(['return', 'then', 'else', 'in', 'inside', 'contains', 'and', 'or', 'is', 'not', 'value'])
/** A text of two characters can be cut between them: the last one waits for the next piece. */
const LOOKAHEAD = 1

/** So much of what comes before a `/` says what it is. */
const CONTEXT = 24

/**
 * Cuts a stream of SurrealQL into its statements, each with its `;`, at those `;` that are in no string, comment, regular expression or
 * bracket. It keeps one statement at a time. A text that is no SurrealQL is cut somewhere, and its pieces are for the parser to refuse.
 *
 * Guarantee: each piece is looked at once, however long the statement becomes.
 */
export class StatementSplitter {
  /** Of the statement that has begun: what was looked at. */
  #looked: string[] = []
  #lookedLength = 0
  /** The end of that, and then what was not looked at: from `#at`. */
  #text = ''
  #at = 0
  #depth = 0
  #inside: Inside = ''

  /** The statements that are complete with this piece. */
  push(piece: string): string[] {
    this.#text += piece
    return this.#cut(this.#text.length - LOOKAHEAD)
  }

  /** What is left at the end: the last statements. */
  end(): string[] {
    const statements = this.#cut(this.#text.length)
    const rest = this.#looked.join('')
    this.#looked = []
    this.#lookedLength = 0
    return rest.trim() === '' ? statements : [...statements, rest]
  }

  /** How much it keeps. */
  get length(): number {
    return this.#lookedLength + this.#text.length - this.#at
  }

  #cut(end: number): string[] {
    const statements: string[] = []
    /** Where what was not kept yet begins, and as far back as anything belongs to the statement. */
    let begin = this.#at
    let statementAt = 0
    for (;;) {
      const meaningless = MEANINGLESS[this.#inside]
      meaningless.lastIndex = this.#at
      if (meaningless.test(this.#text)) this.#at = meaningless.lastIndex
      if (this.#at >= end) break
      const char = this.#text[this.#at] as string
      if (this.#inside !== '') this.#within(char)
      else if (char === ';' && this.#depth === 0) {
        statements.push([...this.#looked, this.#text.slice(begin, this.#at + 1)].join(''))
        this.#looked = []
        this.#lookedLength = 0
        begin = statementAt = this.#at + 1
      } else this.#outside(char, statementAt)
      this.#at++
    }
    this.#keep(begin, statementAt)
    return statements
  }

  #keep(begin: number, statementAt: number): void {
    const looked = this.#text.slice(begin, this.#at)
    if (looked !== '') this.#looked.push(looked)
    this.#lookedLength += looked.length
    let end = Math.min(this.#at, this.#text.length)
    while (end > statementAt && /\s/.test(this.#text[end - 1] as string)) end--
    const context = this.#text.slice(Math.max(statementAt, end - CONTEXT), end) + (end < this.#at ? ' ' : '')
    this.#text = context + this.#text.slice(this.#at)
    this.#at = context.length
  }

  #outside(char: string, begin: number): void {
    const next = this.#text[this.#at + 1]
    const closing = CLOSING[char]
    if (closing !== undefined) this.#inside = closing
    else if (char === '{' || char === '[' || char === '(') this.#depth++
    else if (char === '}' || char === ']' || char === ')') this.#depth = Math.max(0, this.#depth - 1)
    else if (char === '#' || (char === '-' && next === '-') || (char === '/' && next === '/'))
      this.#inside = 'line comment'
    else if (char === '/' && next === '*') {
      this.#inside = 'block comment'
      // Its star is not the one of the end.
      this.#at++
    } else if (char === '/' && this.#beginsRegex(begin)) this.#inside = 'regex'
  }

  #within(char: string): void {
    switch (this.#inside) {
      case 'line comment':
        if (/[\n\r\u0085\u2028\u2029]/.test(char)) this.#inside = ''
        break
      case 'block comment':
        if (char === '*' && this.#text[this.#at + 1] === '/') {
          this.#inside = ''
          this.#at++
        }
        break
      default:
        if (char === '\\') this.#at++
        else if (char === (this.#inside === 'regex' ? '/' : this.#inside)) this.#inside = ''
    }
  }

  #beginsRegex(begin: number): boolean {
    let at = this.#at - 1
    while (at >= begin && /\s/.test(this.#text[at] as string)) at--
    if (at < begin) return true
    const word = /[\p{L}\p{N}_$]*$/u.exec(this.#text.slice(Math.max(begin, at - CONTEXT + 4), at + 1))?.[0] ?? ''
    if (word !== '') return BEFORE_REGEX.has(word.toLowerCase())
    return !/[)\]}'"`⟩]/.test(this.#text[at] as string)
  }
}

/** Without the comments before it. */
export function bare(statement: string): string {
  return statement.replace(LEADING, '')
}

const LEADING = /^(?:\s|--.*|\/\/.*|#.*|\/\*[\s\S]*?\*\/)*/

/** The words that a statement begins with, in capitals, without the comments before them. */
export function firstWords(statement: string): string {
  return bare(statement)
    .slice(0, 40)
    .replace(/\s+/g, ' ')
    .replace(/\s*;.*$/s, '')
    .toUpperCase()
}
