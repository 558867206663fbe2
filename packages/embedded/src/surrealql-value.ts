import { decodeValue, TAG, uuidFromText } from './cbor.ts'
import { CborWriter } from './cbor-writer.ts'
import { type Instant, instantOf } from './datetime-text.ts'
import { geometryOf } from './geometry-object.ts'

/** As the real server: so many levels, the outermost included. What is empty, and a number in parentheses, is none. */
const MAX_DEPTH = 100

const MIN_INT = -(2n ** 63n)
const MAX_INT = 2n ** 63n - 1n

/** What SurrealQL takes for space. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/y
/** What its comments begin with, and end with. */
const COMMENTS = { '--': '\n', '//': '\n', '#': '\n', '/*': '*/' } as const
const WORD = /[A-Za-z_]\w*/y
const KEY_WORD = /\w+/y
const NUMBER = /[+-]?\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d[\d_]*)?(f|dec)?(?!\w)/y
const INFINITE = /[+-]Infinity(?!\w)/y
const DURATION = /(?:\d+(?:ns|us|[µμ]s|ms|[smhdwy]))+(?!\w)/y
const DIGITS = /^\d+$/
const PLAIN_TEXT = /[^"'\\]*/y

const UUID_LENGTH = 36

/** Could a text begin with a record id? Spares most texts the attempt. */
const LIKE_RECORD = /^(?:[A-Za-z_]\w*\s*:(?!:)|\s|[`⟨/#-])/

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '⟩': '⟩',
  '\\': '\\',
  0: '\0',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** The text is no value. */
class NoValue extends Error {}

/**
 * Reads the value that a text begins with, as the real server reads the frames and bodies that it calls JSON: with SurrealQL's own
 * literals, of which JSON is nearly a part. Texts that look like a record id, a datetime or a UUID become one; what follows the
 * value is ignored. `undefined`: it is no value. Nothing in it is carried out.
 *
 * A regular expression is no value here: it has no form in CBOR.
 */
export function readSurrealValue(text: string): Buffer | undefined {
  return read(text, FRAME)
}

/**
 * Reads the value that a text begins with, as the real server reads the JSON of a sign-in: JSON with the names, numbers, durations, record
 * ids, quotes, comments and last commas of SurrealQL, but no other literal of it; a text stays a text. What follows the value is
 * ignored. `undefined`: it is no such value.
 */
export function readSurrealJson(text: string): Buffer | undefined {
  return read(text, JSON_BODY)
}

/** Whose rules a text is read by. */
interface Dialect {
  /** Whether a text that looks like another type becomes it. */
  readonly texts: 'may be more' | 'are texts'
  /** `json`: no other literals than JSON has types for, record ids and durations aside. */
  readonly literals: 'surrealql' | 'json'
}

const FRAME: Dialect = { texts: 'may be more', literals: 'surrealql' }
const WITHIN_TEXT: Dialect = { texts: 'are texts', literals: 'surrealql' }
const JSON_BODY: Dialect = { texts: 'are texts', literals: 'json' }

function read(text: string, dialect: Dialect): Buffer | undefined {
  return attempt(() => {
    const writer = new CborWriter(text.length)
    new ValueReader(text, writer, dialect).value()
    return writer.from(0)
  })
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof NoValue) return undefined
    throw error
  }
}

class ValueReader {
  readonly #text: string
  readonly #out: CborWriter
  readonly #dialect: Dialect
  #at = 0
  #depth = 0

  constructor(text: string, out: CborWriter, dialect: Dialect) {
    this.#text = text
    this.#out = out
    this.#dialect = dialect
  }

  value(): void {
    this.#skipBlanks()
    const start = this.#out.at
    if (this.#isJson) this.#jsonValue()
    else if (this.#eat('..')) this.#rangeEnd(start, 'no start')
    else {
      this.#single()
      if (this.#eat('>..')) this.#rangeEnd(start, TAG.boundExcluded)
      else if (this.#eat('..')) this.#rangeEnd(start, TAG.boundIncluded)
    }
  }

  get #isJson(): boolean {
    return this.#dialect.literals === 'json'
  }

  #jsonValue(): void {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') this.#jsonObject()
    else if (/[["'\d+-]/.test(char)) this.#single()
    else this.#jsonWord()
  }

  #jsonObject(): void {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else this.#nested(() => this.#fields())
  }

  #jsonWord(): void {
    const start = this.#at
    const word = this.#match(WORD)?.toLowerCase() ?? ''
    const quote = this.#text[this.#at]
    if (this.#text[start] === 's' && word === 's' && (quote === '"' || quote === "'"))
      this.#textValue(this.#enclosed(quote))
    else if (word === 'null') this.#out.null()
    else if (word === 'true' || word === 'false') this.#out.bool(word === 'true')
    else {
      this.#at = start
      this.record()
    }
  }

  /** At the start of a table's name. */
  record(): void {
    this.#skipBlanks()
    const table = this.#name()
    this.#skipBlanks()
    if (table === undefined || !this.#eat(':') || this.#text[this.#at] === ':') throw new NoValue()
    this.#out.tag(TAG.record)
    this.#out.list(2)
    this.#out.text(table)
    this.#skipBlanks()
    this.#recordKey()
  }

  #single(): void {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') this.#braced()
    else if (char === '[') this.#nested(() => this.#list())
    else if (char === '(') this.#parenthesized()
    else if (char === '"' || char === "'") this.#textValue(this.#enclosed(char))
    else if (/[\d+-]/.test(char)) this.#number()
    else this.#worded()
  }

  #nested(read: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw new NoValue()
    read()
    this.#depth--
  }

  /** A literal that begins with a word, or a record id. */
  #worded(): void {
    const start = this.#at
    const word = this.#match(WORD) ?? ''
    const quote = this.#text[this.#at]
    if (word !== '' && (quote === '"' || quote === "'")) this.#prefixed(word, this.#enclosed(quote))
    else if (!this.#constant(word)) {
      this.#at = start
      this.record()
    }
  }

  #constant(word: string): boolean {
    const lower = word.toLowerCase()
    if (lower === 'none') this.#out.none()
    else if (lower === 'null') this.#out.null()
    else if (lower === 'true' || lower === 'false') this.#out.bool(lower === 'true')
    else if (word === 'NaN' || word === 'Infinity') this.#out.float(Number(word))
    else return false
    return true
  }

  #prefixed(prefix: string, text: string): void {
    if (prefix === 's') this.#textValue(text)
    else if (prefix === 'd') this.#instant(instantOf(text) ?? refused())
    else if (prefix === 'u') this.#out.uuid(uuidFromText(text.slice(0, UUID_LENGTH)) ?? refused())
    else if (prefix === 'b' && /^(?:[0-9A-Fa-f]{2})*$/.test(text)) this.#out.bytes(Buffer.from(text, 'hex'))
    else throw new NoValue()
  }

  #textValue(text: string): void {
    if (this.#dialect.texts === 'are texts') this.#out.text(text)
    else if (!this.#recordText(text)) this.#datedText(text)
  }

  #recordText(text: string): boolean {
    if (!LIKE_RECORD.test(text)) return false
    const start = this.#out.at
    const isRecord = attempt(() => {
      new ValueReader(text, this.#out, WITHIN_TEXT).record()
      return true
    })
    if (isRecord === undefined) this.#out.rewind(start)
    return isRecord ?? false
  }

  #datedText(text: string): void {
    const instant = instantOf(text)
    const uuid = uuidFromText(text.slice(0, UUID_LENGTH))
    if (instant !== undefined) this.#instant(instant)
    else if (uuid !== undefined) this.#out.uuid(uuid)
    else this.#out.text(text)
  }

  #instant({ seconds, nanos }: Instant): void {
    this.#out.tag(TAG.date)
    this.#out.list(2)
    this.#out.int(seconds)
    this.#out.int(BigInt(nanos))
  }

  #number(): void {
    const duration = this.#match(DURATION)
    const infinite = duration ?? this.#match(INFINITE)
    if (duration !== undefined) {
      this.#out.tag(TAG.durationText)
      // The engine does not read the letter.
      this.#out.text(duration.replace(/[µμ]/g, 'u'))
    } else if (infinite !== undefined) this.#out.float(Number(infinite))
    else this.#plainNumber()
  }

  #plainNumber(): void {
    const [digits, fraction, exponent, suffix = ''] = this.#groups(NUMBER)
    const plain = digits.slice(0, digits.length - suffix.length).replaceAll('_', '')
    if (suffix === 'dec') {
      this.#out.tag(TAG.decimal)
      this.#out.text(plain)
    } else if (suffix === 'f' || fraction !== undefined || exponent !== undefined) this.#out.float(Number(plain))
    else this.#out.int(wholeNumber(plain) ?? refused())
  }

  /** `{}`, an object, or a set: `{1, 2}`, `{1,}`, `{,}`. What begins like a field is taken for an object. */
  #braced(): void {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else if (this.#beginsField()) this.#nested(() => this.#fields())
    else {
      this.#out.tag(TAG.set)
      if (this.#eat(',')) this.#emptySet()
      else this.#nested(() => this.#items('}', 'one at least'))
    }
  }

  /** After `{,`. */
  #emptySet(): void {
    if (!this.#eatNext('}')) throw new NoValue()
    this.#out.list(0)
  }

  #emptyObject(): void {
    this.#out.openMap()
    this.#out.end()
  }

  #beginsField(): boolean {
    const start = this.#at
    const begins = this.#fieldName() !== undefined && this.#eatNext(':')
    this.#at = start
    return begins
  }

  /** After `{` and what may be between them. */
  #fields(): void {
    const start = this.#out.at
    const names = new Set<string>()
    this.#out.openMap()
    for (let more = true; !this.#eatNext('}'); more = this.#eatNext(',')) {
      if (!more) throw new NoValue()
      const name = this.#fieldName() ?? refused()
      names.add(name)
      this.#out.text(name)
      if (!this.#eatNext(':')) throw new NoValue()
      this.value()
    }
    this.#out.end()
    if (this.#isJson || names.size !== 2 || !names.has('type')) return
    const geometry = geometryOf(this.#out.from(start))
    if (geometry === undefined) return
    this.#out.rewind(start)
    this.#out.raw(geometry)
  }

  #fieldName(): string | undefined {
    const char = this.#text[this.#at]
    if (char === '"' || char === "'") return this.#enclosed(char)
    return this.#name() ?? this.#match(/\d+(?!\w)/y)
  }

  #list(): void {
    this.#expect('[')
    this.#items(']', 'any')
  }

  /** Up to `close`, with a comma after each but perhaps the last. */
  #items(close: string, commas: 'any' | 'one at least'): void {
    this.#out.openList()
    for (let seen = 0, more = true; !this.#eatNext(close); seen++) {
      if (!more) throw new NoValue()
      this.value()
      more = this.#eatNext(',')
      if (!more && seen === 0 && commas === 'one at least') throw new NoValue()
    }
    this.#out.end()
  }

  /** `(1, 2)` is a point, `(1)` what is in it. */
  #parenthesized(): void {
    this.#expect('(')
    const start = this.#out.at
    this.#skipBlanks()
    const isNumber = /[\d+-]/.test(this.#text[this.#at] ?? '')
    if (isNumber) this.value()
    else this.#nested(() => this.value())
    if (isNumber && this.#eatNext(',')) {
      this.#skipBlanks()
      this.#number()
      const numbers = coordinates(this.#out.from(start))
      this.#out.rewind(start)
      this.#out.tag(TAG.point)
      this.#out.list(2)
      for (const number of numbers) this.#out.float(number)
    }
    if (!this.#eatNext(')')) throw new NoValue()
  }

  #recordKey(): void {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') this.#nested(() => this.#objectKey())
    else if (char === '[') this.#nested(() => this.#list())
    else if (char === '`' || char === '⟨') this.#out.text(this.#name() ?? refused())
    else if (char === '+' || char === '-') this.#signedKey(char)
    else this.#wordKey()
  }

  #signedKey(sign: '+' | '-'): void {
    this.#at++
    const start = this.#at
    const digits = this.#match(/\d+/y) ?? refused()
    if (sign === '+' && /^[.\w]/.test(this.#text.slice(this.#at, this.#at + 1))) throw new NoValue()
    this.#numericKey(sign === '-' ? `-${digits}` : digits)
    // The real server leaves the digits after a plus to whoever reads on: `a:+1` is a record id only where nobody does.
    if (sign === '+') this.#at = start
  }

  #wordKey(): void {
    const key = this.#match(KEY_WORD) ?? refused()
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") {
      if (key !== 'u') throw new NoValue()
      this.#prefixed(key, this.#enclosed(quote))
    } else if (DIGITS.test(key)) this.#numericKey(key)
    else this.#out.text(key)
  }

  #numericKey(number: string): void {
    const whole = wholeNumber(number)
    if (whole === undefined) this.#out.text(number)
    else this.#out.int(whole)
  }

  #objectKey(): void {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else this.#fields()
  }

  /** A name as it is, or in backticks or angles. */
  #name(): string | undefined {
    const char = this.#text[this.#at]
    if (char === '`') return this.#enclosed('`')
    if (char === '⟨') return this.#enclosed('⟩')
    return this.#match(WORD)
  }

  /** From the opening mark until after `close`. */
  #enclosed(close: string): string {
    const isQuote = close === '"' || close === "'"
    let text = ''
    for (this.#at++; ; ) {
      text += (isQuote ? this.#match(PLAIN_TEXT) : undefined) ?? ''
      const char = this.#text[this.#at++]
      if (char === undefined) throw new NoValue()
      if (char === close) return text
      text += char === '\\' ? this.#escaped() : char
    }
  }

  /** After the backslash. */
  #escaped(): string {
    const char = this.#text[this.#at++] ?? ''
    if (char !== 'u') return ESCAPES[char] ?? refused()
    const pair = this.#isJson ? this.#match(/[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}/y) : undefined
    if (pair !== undefined) return JSON.parse(`"\\u${pair}"`)
    const hex = this.#match(/[0-9A-Fa-f]{4}/y) ?? this.#match(/\{[0-9A-Fa-f]{1,6}\}/y)?.slice(1, -1) ?? refused()
    const point = Number.parseInt(hex, 16)
    // Half of a pair is no character; a pair is put together in JSON alone.
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new NoValue()
    return String.fromCodePoint(point)
  }

  #rangeEnd(start: number, tag: number | 'no start'): void {
    this.#out.insert(start, Buffer.of(0xd8, TAG.range, 0x82, ...(tag === 'no start' ? [0xf6] : [0xd8, tag])))
    const included = this.#text[this.#at] === '='
    if (included) this.#at++
    if (included || /^[\w"'[({⟨`+.-]/.test(this.#text.slice(this.#at, this.#at + 1))) {
      this.#out.tag(included ? TAG.boundIncluded : TAG.boundExcluded)
      this.#nested(() => this.value())
    } else this.#out.null()
  }

  /** Spaces and comments. */
  #skipBlanks(): void {
    do this.#match(SPACE)
    while (this.#skipComment())
  }

  #skipComment(): boolean {
    const char = this.#text[this.#at]
    if (char !== '-' && char !== '/' && char !== '#') return false
    for (const [start, end] of Object.entries(COMMENTS)) {
      if (!this.#text.startsWith(start, this.#at)) continue
      const found = this.#text.indexOf(end, this.#at + start.length)
      if (found === -1 && start === '/*') throw new NoValue()
      this.#at = found === -1 ? this.#text.length : found + end.length
      return true
    }
    return false
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #groups(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text) ?? refused()
    this.#at += found[0].length
    return found
  }

  #expect(mark: string): void {
    if (!this.#eat(mark)) throw new NoValue()
  }

  #eat(mark: string): boolean {
    if (!this.#text.startsWith(mark, this.#at)) return false
    this.#at += mark.length
    return true
  }

  #eatNext(mark: string): boolean {
    this.#skipBlanks()
    return this.#eat(mark)
  }
}

function refused(): never {
  throw new NoValue()
}

/** Of 64 bits. */
function wholeNumber(digits: string): bigint | undefined {
  const value = BigInt(digits.replace(/^\+/, ''))
  return value < MIN_INT || value > MAX_INT ? undefined : value
}

/** Two numbers that are no decimals. */
function coordinates(written: Buffer): readonly number[] {
  const both = decodeValue(Buffer.concat([Buffer.of(0x82), written])) as readonly unknown[]
  // A decimal and a duration are texts by now.
  if (both.some((number) => typeof number !== 'number' && typeof number !== 'bigint')) throw new NoValue()
  return both.map(Number)
}
