/** What a text is in the middle of; a quote is named by the character that ends it. */
type Inside = '' | "'" | '"' | '`' | '⟩' | 'regex' | 'line comment' | 'block comment'

const CLOSING: Readonly<Record<string, Inside>> = { "'": "'", '"': '"', '`': '`', '⟨': '⟩' }
/** What means nothing there, and is passed over at once. */
const MEANINGLESS: Readonly<Record<Inside, RegExp>> = {
  '': /[^;,'"`⟨{}[\]()#/-]+/y,
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
/** Rows of a long INSERT that become one of their own: in characters. */
const PART = 16 * 1024 * 1024

/** What was looked at of a statement that is not complete yet. */
class BegunStatement {
  #pieces: string[] = []
  #piecesLength = 0
  /** Up to the first list in it, the bracket included. */
  #head = ''
  /** Rows of that list, if it is of an INSERT: each nearly `PART` or longer. */
  #parts: string[] = []
  #partsLength = 0
  #list: 'not begun' | 'of rows' | 'of something else' = 'not begun'

  get length(): number {
    return this.#head.length + this.#partsLength + this.#piecesLength
  }

  keep(piece: string): void {
    if (piece === '') return
    this.#pieces.push(piece)
    this.#piecesLength += piece.length
  }

  /** What was kept ends with the bracket of a list that is in nothing else. */
  beginsList(): void {
    if (this.#list !== 'not begun') {
      this.#list = 'of something else'
      return
    }
    this.#head = this.#takePieces()
    this.#list = /^INSERT\b/.test(firstWords(this.#head)) ? 'of rows' : 'of something else'
  }

  /** Whether it is worth ending a part between two rows, so many characters after what was kept. */
  isPart(more: number): boolean {
    return this.#list === 'of rows' && this.#piecesLength + more >= PART
  }

  endsPart(): void {
    this.#partsLength += this.#piecesLength
    this.#parts.push(this.#takePieces())
  }

  /** Statements of the parts that there are; the statement goes on without them. */
  takeInserts(): string[] {
    const inserts = this.#parts.map((part) => `${this.#head}${part}];`)
    this.#parts = []
    this.#partsLength = 0
    return inserts
  }

  /** All of it and its end; the next one begins. */
  take(end: string): string {
    this.keep(end)
    const rows = [...this.#parts, this.#takePieces()].join(',')
    const statement = this.#head + rows
    this.#parts = []
    this.#partsLength = 0
    this.#head = ''
    this.#list = 'not begun'
    return statement
  }

  #takePieces(): string {
    const joined = this.#pieces.join('')
    this.#pieces = []
    this.#piecesLength = 0
    return joined
  }
}

/**
 * Cuts a stream of SurrealQL into its statements, each with its `;`, at those `;` that are in no string, comment, regular expression or
 * bracket. It keeps one statement at a time. A text that is no SurrealQL is cut somewhere, and its pieces are for the parser to refuse.
 *
 * An INSERT that becomes longer than `maxLength` becomes several, each of some of its rows; what may stand behind its rows holds for the
 * last of them alone.
 *
 * Guarantee: each piece is looked at once, however long the statement becomes.
 */
export class StatementSplitter {
  readonly #maxLength: number
  #begun = new BegunStatement()
  /** The end of what was looked at, and then what was not: from `#at`. */
  #text = ''
  #at = 0
  #depth = 0
  #inside: Inside = ''

  /** In characters. */
  constructor(maxLength: number = Number.POSITIVE_INFINITY) {
    this.#maxLength = maxLength
  }

  /** The statements that are complete with this piece. */
  push(piece: string): string[] {
    this.#text += piece
    const statements = this.#cut(this.#text.length - LOOKAHEAD)
    return this.length > this.#maxLength ? [...statements, ...this.#begun.takeInserts()] : statements
  }

  /** What is left at the end: the last statements. */
  end(): string[] {
    const statements = this.#cut(this.#text.length)
    const rest = this.#begun.take('')
    return rest.trim() === '' ? statements : [...statements, rest]
  }

  /** How much it keeps. */
  get length(): number {
    return this.#begun.length + this.#text.length - this.#at
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
        statements.push(this.#begun.take(this.#text.slice(begin, this.#at + 1)))
        begin = statementAt = this.#at + 1
      } else if (char === '[' && this.#depth === 0) {
        this.#begun.keep(this.#text.slice(begin, this.#at + 1))
        this.#begun.beginsList()
        begin = this.#at + 1
        this.#depth++
      } else if (char === ',' && this.#depth === 1 && this.#begun.isPart(this.#at - begin)) {
        this.#begun.keep(this.#text.slice(begin, this.#at))
        this.#begun.endsPart()
        begin = this.#at + 1
      } else this.#outside(char, statementAt)
      this.#at++
    }
    this.#begun.keep(this.#text.slice(begin, this.#at))
    this.#forget(statementAt)
    return statements
  }

  /** What a `/` is afterwards can still be told. */
  #forget(statementAt: number): void {
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
