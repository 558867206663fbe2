import { decodeValue, TAG, uuidFromText } from './cbor.ts'
import { CborWriter } from './cbor-writer.ts'
import { type Instant, instantOf } from './datetime-text.ts'
import { geometryOf } from './geometry-object.ts'
import type { Interruptible } from './turns.ts'

/** As the real server: so many levels, the outermost included. What is empty, and a number in parentheses, is none. */
const MAX_DEPTH = 100

const MIN_INT = -(2n ** 63n)
const MAX_INT = 2n ** 63n - 1n

/** What SurrealQL takes for space. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/y
/** What its comments begin with, and end with. */
const COMMENTS = { '--': '\n', '//': '\n', '#': '\n', '/*': '*/' } as const
/** What a space or a comment begins with, of ASCII. */
const BLANK: ReadonlySet<string> = new Set('\t\n\v\f\r -/#')
const WORD = /[A-Za-z_]\w*/y
const KEY_WORD = /\w+/y
const NUMBER = /[+-]?\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d[\d_]*)?(f|dec)?(?!\w)/y
const INFINITE = /[+-]Infinity(?!\w)/y
const DURATION = /(?:\d+(?:ns|us|[µμ]s|ms|[smhdwy]))+(?!\w)/y
const DIGITS = /^\d+$/
/** A number as most are. */
const SMALL_NUMBER = /-?\d{1,15}(?![\w.µμ])/y

const UUID_LENGTH = 36

/** Could a text begin with a record id? Spares most texts the attempt. */
const LIKE_RECORD = /^(?:[A-Za-z_]\w*\s*:(?!:)|\s|[`⟨/#-])/

/** Could it begin with a date or a UUID? */
const LIKE_DATE_OR_UUID = /^[+-]?[\dA-Fa-f]{4}/

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

/** So many values, or pieces of text, are read before others get a turn: about a millisecond. */
const STEPS = 500
/** A text without escapes is written in pieces of so many characters. */
const PIECE = 64 * 1024
/** A text with escapes is put together in pieces of so many characters. */
const JOINED = 4 * 1024

/** When it is time to let others go on. */
class Pace {
  #left = STEPS

  /** Takes a step. True: others are next. */
  step(): boolean {
    if (--this.#left > 0) return false
    this.#left = STEPS
    return true
  }
}

/**
 * Reads the value that a text begins with, as the real server reads the frames and bodies that it calls JSON: with SurrealQL's own
 * literals, of which JSON is nearly a part. Texts that look like a record id, a datetime or a UUID become one; what follows the
 * value is ignored. `undefined`: it is no value. Nothing in it is carried out.
 *
 * A regular expression is no value here: it has no form in CBOR.
 *
 * A hundred megabytes take it many seconds, so others may get on meanwhile. In one piece: one text, comment or geometry is put together.
 */
export function readSurrealValue(text: string): Interruptible<Buffer | undefined> {
  return read(text, FRAME)
}

/**
 * Reads the value that a text begins with, as the real server reads the JSON of a sign-in: JSON with the names, numbers, durations, record
 * ids, quotes, comments and last commas of SurrealQL, but no other literal of it; a text stays a text. What follows the value is
 * ignored. `undefined`: it is no such value.
 */
export function readSurrealJson(text: string): Interruptible<Buffer | undefined> {
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

function* read(text: string, dialect: Dialect): Interruptible<Buffer | undefined> {
  const writer = new CborWriter(text.length)
  return yield* attempt(function* () {
    yield* new ValueReader(text, writer, dialect, new Pace()).value()
    return writer.from(0)
  })
}

/** `undefined`: it is no value. */
function* attempt<T>(read: () => Interruptible<T>): Interruptible<T | undefined> {
  try {
    return yield* read()
  } catch (error) {
    if (error instanceof NoValue) return undefined
    throw error
  }
}

class ValueReader {
  readonly #text: string
  readonly #out: CborWriter
  readonly #dialect: Dialect
  readonly #pace: Pace
  #at = 0
  #depth = 0
  /** Where the last object that is no geometry begins. */
  #objectAt = -1
  /** The first backslash from a place on, which has been looked for. */
  #backslash = { from: 0, at: -1 }

  constructor(text: string, out: CborWriter, dialect: Dialect, pace: Pace) {
    this.#text = text
    this.#out = out
    this.#dialect = dialect
    this.#pace = pace
  }

  *value(): Interruptible {
    if (this.#pace.step()) yield
    if (!this.#plainValue()) yield* this.#otherValue()
  }

  /** After blanks. */
  *#otherValue(): Interruptible {
    const start = this.#out.at
    if (this.#isJson) yield* this.#jsonValue()
    else if (this.#eat('..')) yield* this.#rangeEnd(start, 'no start')
    else {
      yield* this.#single()
      if (this.#eat('>..')) yield* this.#rangeEnd(start, TAG.boundExcluded)
      else if (this.#eat('..')) yield* this.#rangeEnd(start, TAG.boundIncluded)
    }
  }

  /**
   * Skips blanks, and reads the value that follows if it is a short text or number, as most are: without the cost of what can be
   * interrupted. False: it is something else, or part of it.
   */
  #plainValue(): boolean {
    this.#skipBlanks()
    const [from, start] = [this.#at, this.#out.at]
    const char = this.#text[from]
    if (char === '"' || char === "'") {
      const text = this.#plainText(char)
      if (text === undefined || text.length > PIECE || this.#mayBeMore(text)) {
        this.#at = from
        return false
      }
      this.#out.text(text)
    } else {
      const number = this.#match(SMALL_NUMBER)
      if (number === undefined) return false
      this.#out.int(Number(number))
    }
    const next = this.#text[this.#at]
    if (next !== '.' && next !== '>') return true
    // A range, perhaps.
    this.#out.rewind(start)
    this.#at = from
    return false
  }

  /** A record id, a date, a UUID? */
  #mayBeMore(text: string): boolean {
    return this.#dialect.texts === 'may be more' && (mayBeRecord(text) || LIKE_DATE_OR_UUID.test(text))
  }

  get #isJson(): boolean {
    return this.#dialect.literals === 'json'
  }

  *#jsonValue(): Interruptible {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') yield* this.#jsonObject()
    else if (/[["'\d+-]/.test(char)) yield* this.#single()
    else yield* this.#jsonWord()
  }

  *#jsonObject(): Interruptible {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else yield* this.#nested(this.#fields())
  }

  *#jsonWord(): Interruptible {
    const start = this.#at
    const word = this.#match(WORD)?.toLowerCase() ?? ''
    const quote = this.#text[this.#at]
    if (this.#text[start] === 's' && word === 's' && (quote === '"' || quote === "'"))
      yield* this.#textValue(yield* this.#enclosed(quote))
    else if (word === 'null') this.#out.null()
    else if (word === 'true' || word === 'false') this.#out.bool(word === 'true')
    else {
      this.#at = start
      yield* this.record()
    }
  }

  /** At the start of a table's name. */
  *record(): Interruptible {
    this.#skipBlanks()
    const table = yield* this.#name()
    this.#skipBlanks()
    if (table === undefined || !this.#eat(':') || this.#text[this.#at] === ':') throw new NoValue()
    this.#out.tag(TAG.record)
    this.#out.list(2)
    this.#out.text(table)
    this.#skipBlanks()
    yield* this.#recordKey()
  }

  *#single(): Interruptible {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') yield* this.#braced()
    else if (char === '[') yield* this.#nested(this.#list())
    else if (char === '(') yield* this.#parenthesized()
    else if (char === '"' || char === "'")
      yield* this.#textValue(this.#plainText(char) ?? (yield* this.#enclosed(char)))
    else if (/[\d+-]/.test(char)) this.#number()
    else yield* this.#worded()
  }

  /** `reading` has not begun. */
  *#nested(reading: Interruptible): Interruptible {
    if (++this.#depth > MAX_DEPTH) throw new NoValue()
    yield* reading
    this.#depth--
  }

  /** A literal that begins with a word, or a record id. */
  *#worded(): Interruptible {
    const start = this.#at
    const word = this.#match(WORD) ?? ''
    const quote = this.#text[this.#at]
    if (word !== '' && (quote === '"' || quote === "'")) yield* this.#prefixed(word, yield* this.#enclosed(quote))
    else if (!this.#constant(word)) {
      this.#at = start
      yield* this.record()
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

  *#prefixed(prefix: string, text: string): Interruptible {
    if (prefix === 's') yield* this.#textValue(text)
    else if (prefix === 'd') this.#instant(instantOf(text) ?? refused())
    else if (prefix === 'u') this.#out.uuid(uuidFromText(text.slice(0, UUID_LENGTH)) ?? refused())
    else if (prefix === 'b' && /^(?:[0-9A-Fa-f]{2})*$/.test(text)) this.#out.bytes(Buffer.from(text, 'hex'))
    else throw new NoValue()
  }

  *#textValue(text: string): Interruptible {
    if (this.#dialect.texts === 'are texts') yield* this.#longText(text)
    else if (!mayBeRecord(text) || !(yield* this.#recordText(text))) yield* this.#datedText(text)
  }

  *#recordText(text: string): Interruptible<boolean> {
    const { at: start } = this.#out
    const [out, pace] = [this.#out, this.#pace]
    const isRecord = yield* attempt(function* () {
      yield* new ValueReader(text, out, WITHIN_TEXT, pace).record()
      return true
    })
    if (isRecord === undefined) out.rewind(start)
    return isRecord ?? false
  }

  *#datedText(text: string): Interruptible {
    const instant = instantOf(text)
    const uuid = uuidFromText(text.slice(0, UUID_LENGTH))
    if (instant !== undefined) this.#instant(instant)
    else if (uuid !== undefined) this.#out.uuid(uuid)
    else yield* this.#longText(text)
  }

  *#longText(text: string): Interruptible {
    if (text.length <= PIECE) {
      this.#out.text(text)
      return
    }
    let length = 0
    for (const piece of piecesOf(text)) {
      length += Buffer.byteLength(piece)
      if (this.#pace.step()) yield
    }
    this.#out.openText(length)
    for (const piece of piecesOf(text)) {
      this.#out.pieceOfText(piece)
      if (this.#pace.step()) yield
    }
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
  *#braced(): Interruptible {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else if (yield* this.#beginsField()) yield* this.#nested(this.#fields())
    else {
      this.#out.tag(TAG.set)
      if (this.#eat(',')) this.#emptySet()
      else yield* this.#nested(this.#items('}', 'one at least'))
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

  *#beginsField(): Interruptible<boolean> {
    const start = this.#at
    const name = this.#plainName() ?? (yield* this.#fieldName())
    const begins = name !== undefined && this.#eatNext(':')
    this.#at = start
    return begins
  }

  /** After `{` and what may be between them. */
  *#fields(): Interruptible {
    const start = this.#out.at
    const names = new Set<string>()
    this.#out.openMap()
    for (let more = true; !this.#eatNext('}'); more = this.#eatNext(',')) {
      if (!more) throw new NoValue()
      const name = this.#plainName() ?? (yield* this.#fieldName()) ?? refused()
      if (names.size <= 2) names.add(name)
      if (name.length > PIECE) yield* this.#longText(name)
      else this.#out.text(name)
      if (!this.#eatNext(':')) throw new NoValue()
      if (this.#pace.step()) yield
      if (!this.#plainValue()) yield* this.#otherValue()
    }
    this.#out.end()
    // What has an object in it is no geometry, and is not looked at again for each object that it is in.
    const mayBeGeometry = !this.#isJson && names.size === 2 && names.has('type') && this.#objectAt < start
    const geometry = mayBeGeometry ? geometryOf(this.#out.from(start)) : undefined
    if (geometry === undefined) {
      this.#objectAt = start
      return
    }
    this.#out.rewind(start)
    this.#out.raw(geometry)
  }

  #plainName(): string | undefined {
    const char = this.#text[this.#at]
    return char === '"' || char === "'" ? this.#plainText(char) : undefined
  }

  *#fieldName(): Interruptible<string | undefined> {
    const char = this.#text[this.#at]
    if (char === '"' || char === "'") return yield* this.#enclosed(char)
    return (yield* this.#name()) ?? this.#match(/\d+(?!\w)/y)
  }

  *#list(): Interruptible {
    this.#expect('[')
    yield* this.#items(']', 'any')
  }

  /** Up to `close`, with a comma after each but perhaps the last. */
  *#items(close: string, commas: 'any' | 'one at least'): Interruptible {
    this.#out.openList()
    for (let seen = 0, more = true; !this.#eatNext(close); seen++) {
      if (!more) throw new NoValue()
      if (this.#pace.step()) yield
      if (!this.#plainValue()) yield* this.#otherValue()
      more = this.#eatNext(',')
      if (!more && seen === 0 && commas === 'one at least') throw new NoValue()
    }
    this.#out.end()
  }

  /** `(1, 2)` is a point, `(1)` what is in it. */
  *#parenthesized(): Interruptible {
    this.#expect('(')
    const start = this.#out.at
    this.#skipBlanks()
    const isNumber = /[\d+-]/.test(this.#text[this.#at] ?? '')
    if (isNumber) yield* this.value()
    else yield* this.#nested(this.value())
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

  *#recordKey(): Interruptible {
    const char = this.#text[this.#at] ?? ''
    if (char === '{') yield* this.#nested(this.#objectKey())
    else if (char === '[') yield* this.#nested(this.#list())
    else if (char === '`' || char === '⟨') yield* this.#longText((yield* this.#name()) ?? refused())
    else if (char === '+' || char === '-') this.#signedKey(char)
    else yield* this.#wordKey()
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

  *#wordKey(): Interruptible {
    const key = this.#match(KEY_WORD) ?? refused()
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") {
      if (key !== 'u') throw new NoValue()
      yield* this.#prefixed(key, yield* this.#enclosed(quote))
    } else if (DIGITS.test(key)) this.#numericKey(key)
    else this.#out.text(key)
  }

  #numericKey(number: string): void {
    const whole = wholeNumber(number)
    if (whole === undefined) this.#out.text(number)
    else this.#out.int(whole)
  }

  *#objectKey(): Interruptible {
    this.#expect('{')
    if (this.#eatNext('}')) this.#emptyObject()
    else yield* this.#fields()
  }

  /** A name as it is, or in backticks or angles. */
  *#name(): Interruptible<string | undefined> {
    const char = this.#text[this.#at]
    if (char === '`') return yield* this.#enclosed('`')
    if (char === '⟨') return yield* this.#enclosed('⟩')
    return this.#match(WORD)
  }

  /** The same as `#enclosed`, if there is no escape in it. It is cut out of the whole: a hundred megabytes are not copied. */
  #plainText(close: string): string | undefined {
    const start = this.#at + 1
    const end = this.#text.indexOf(close, start)
    if (end === -1) throw new NoValue()
    if (this.#nextBackslash(start) < end) return undefined
    this.#at = end + 1
    return this.#text.slice(start, end)
  }

  #nextBackslash(from: number): number {
    // Not before that place either: it may have been read before, and is read once more.
    if (this.#backslash.at < from || from < this.#backslash.from) {
      const found = this.#text.indexOf('\\', from)
      this.#backslash = { from, at: found === -1 ? this.#text.length : found }
    }
    return this.#backslash.at
  }

  /** From the opening mark until after `close`. */
  *#enclosed(close: string): Interruptible<string> {
    const joined: string[] = []
    let piece = ''
    this.#at++
    for (let end = -1; ; ) {
      if (this.#pace.step()) yield
      if (end < this.#at) end = this.#text.indexOf(close, this.#at)
      if (end === -1) throw new NoValue()
      const plain = this.#text.slice(this.#at, Math.min(end, this.#nextBackslash(this.#at)))
      this.#at += plain.length + 1
      if (this.#at > end) return [...joined, piece, plain].join('')
      const escaped = this.#escaped()
      if (piece.length + plain.length < JOINED) piece += plain + escaped
      else {
        joined.push(flat(piece), plain)
        piece = escaped
      }
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

  *#rangeEnd(start: number, tag: number | 'no start'): Interruptible {
    this.#out.insert(start, Buffer.of(0xd8, TAG.range, 0x82, ...(tag === 'no start' ? [0xf6] : [0xd8, tag])))
    const included = this.#text[this.#at] === '='
    if (included) this.#at++
    if (included || /^[\w"'[({⟨`+.-]/.test(this.#text.slice(this.#at, this.#at + 1))) {
      this.#out.tag(included ? TAG.boundIncluded : TAG.boundExcluded)
      yield* this.#nested(this.value())
    } else this.#out.null()
  }

  /** Spaces and comments. */
  #skipBlanks(): void {
    if (!BLANK.has(this.#text[this.#at] ?? '') && this.#text.charCodeAt(this.#at) < 0x80) return
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

/** A text of a hundred megabytes that is one word is not looked through for it. */
function mayBeRecord(text: string): boolean {
  return text.includes(':') && LIKE_RECORD.test(text)
}

/** None of them ends between the two halves of a character. */
function* piecesOf(text: string): Generator<string> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + PIECE
    const last = text.charCodeAt(end - 1)
    if (last >= 0xd800 && last <= 0xdbff) end++
    yield text.slice(start, end)
  }
}

/** The same text as one piece of memory: V8 keeps a text that was put together as a tree, of some 30 bytes for each part. */
function flat(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
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
