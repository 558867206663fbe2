import { headAt, isLast, MAJOR } from './cbor-walk.ts'
import { type Interruptible, inTurns } from './turns.ts'

/**
 * The engine (3.0.2) works through an expression by recursion, however long it is: tens of thousands of `1+1+1…` overflow its
 * stack, and with it end the process and everybody's database. The real server refuses more than 128 links (since 3.1). We
 * refuse what could come near the end of the stack that engine-environment.ts provides.
 */
const MAX_LINKS = 4_000

/** Too short to hold that many. 16,384 `!` were survived in 64 MiB. */
export const SHORT_BYTES: number = 8 * 1024

/** The text in the params of `query`; `undefined`: there is none. */
function queryText(params: Buffer): Buffer | undefined {
  const list = headAt(params, 0)
  if (isLast(params, list.end, 0, list.argument)) return undefined
  const { major, argument = 0, end } = headAt(params, list.end)
  return major === MAJOR.text ? params.subarray(end, end + argument) : undefined
}

/** Looked at before others get a turn: about a millisecond. */
const BYTES_AT_ONCE = 250_000

/** Has the query in these params an expression deeper than the engine's stack? A query of a hundred megabytes keeps nobody else waiting. */
export async function isTooDeepQuery(params: Buffer): Promise<boolean> {
  const text = queryText(params)
  if (text === undefined || text.length < SHORT_BYTES) return false
  return await inTurns(lookAt(new QueryGuard(text)))
}

function* lookAt(guard: QueryGuard): Interruptible<boolean> {
  while (!guard.advance(BYTES_AT_ONCE)) yield
  return guard.tooDeep
}

const OTHER = 0
const OPENING = 1
const CLOSING = 2
const SEPARATOR = 3
const OPERATOR = 4
const LETTER = 5
const QUOTE = 6
/** Part of a word, but not its first character. */
const DIGIT = 7
const HASH = 8
/** The first byte of a character that matters and has several. */
const WIDE = 9

const KINDS = new Uint8Array(256)
const kind = (value: number, characters: string): void => {
  for (const character of characters) KINDS[character.charCodeAt(0)] = value
}
kind(OPENING, '([{')
kind(CLOSING, ')]}')
kind(SEPARATOR, ',;')
kind(OPERATOR, '!+-*/%<>&|?=~')
kind(LETTER, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_')
kind(DIGIT, '0123456789')
kind(QUOTE, '\'"`')
kind(HASH, '#')
const [WIDE_OPERATOR, WIDE_QUOTE] = [0xc3, 0xe2]
KINDS[WIDE_OPERATOR] = WIDE
KINDS[WIDE_QUOTE] = WIDE

const [DASH, SLASH, STAR, BACKSLASH] = [0x2d, 0x2f, 0x2a, 0x5c]
/** The last bytes of `×` and `÷`, the later two of `⟨`, and of `⟩`. */
const [TIMES, DIVIDED, BRACKET, LEFT, RIGHT] = [0x97, 0xb7, 0x9f, 0xa8, 0xa9]
/** How a block comment ends; not the byte of a quote. */
const BLOCK_COMMENT = -1
const LINE_COMMENT = -2
const LINKING_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'explain'])
const LONGEST_LINKING_WORD = 7

/**
 * Could this text (UTF-8) hold an expression deeper than the engine's stack? An estimate from above, by operators and brackets
 * since the last `,` or `;`; strings and comments are passed over.
 */
class QueryGuard {
  /** As far as it has looked. */
  tooDeep = false
  readonly #text: Buffer
  #at = 0
  #links = 0
  /** The links outside of each bracket that is open. */
  readonly #outside: number[] = []
  /** What it is in: a comment, or the last byte of the quote that ends a quoted text; `0`: neither. */
  #inside = 0

  constructor(text: Buffer) {
    this.#text = text
  }

  /** Looks at so many bytes more, or a word more. True: there is nothing left to look at. */
  advance(bytes: number): boolean {
    const text = this.#text
    const outside = this.#outside
    const end = Math.min(text.length, this.#at + bytes)
    // Local, because each is used at every byte.
    let [at, links, inside] = [this.#at, this.#links, this.#inside]
    for (; at < end; at++) {
      const byte = text[at] as number
      if (inside > 0) {
        if (byte === BACKSLASH) at++
        else if (byte === inside && (byte !== RIGHT || isWide(text, at - 2, RIGHT))) inside = 0
        continue
      }
      if (inside === LINE_COMMENT) {
        if (endsLine(text, at)) inside = 0
        continue
      }
      if (inside === BLOCK_COMMENT) {
        if (byte === STAR && text[at + 1] === SLASH) {
          inside = 0
          at++
        }
        continue
      }
      switch (KINDS[byte]) {
        case OPENING:
          outside.push(++links)
          break
        case CLOSING:
          links = outside.pop() ?? 0
          break
        case SEPARATOR:
          links = outside.at(-1) ?? 0
          break
        case QUOTE:
          inside = byte
          break
        case HASH:
          inside = LINE_COMMENT
          break
        case OPERATOR: {
          const next = text[at + 1]
          if ((byte === DASH && next === DASH) || (byte === SLASH && next === SLASH)) inside = LINE_COMMENT
          else if (byte === SLASH && next === STAR) {
            inside = BLOCK_COMMENT
            // The star may not be taken for the one of the end.
            at++
          } else links++
          break
        }
        case LETTER: {
          const start = at
          while (isPartOfWord(text[at + 1])) at++
          const length = at + 1 - start
          if (length <= LONGEST_LINKING_WORD && LINKING_WORDS.has(text.toString('latin1', start, at + 1).toLowerCase()))
            links++
          break
        }
        case WIDE:
          if (byte === WIDE_OPERATOR && (text[at + 1] === TIMES || text[at + 1] === DIVIDED)) links++
          else if (byte === WIDE_QUOTE && isWide(text, at, LEFT)) inside = RIGHT
          break
      }
      if (links > MAX_LINKS) {
        this.tooDeep = true
        return true
      }
    }
    this.#at = at
    this.#links = links
    this.#inside = inside
    return at >= text.length
  }
}

function isPartOfWord(byte: number | undefined): boolean {
  const found = byte === undefined ? OTHER : KINDS[byte]
  return found === LETTER || found === DIGIT
}

/** As the engine has it: a line feed, a carriage return, and three characters of Unicode, by their last bytes. */
function endsLine(text: Buffer, at: number): boolean {
  switch (text[at]) {
    case 0x0a:
    case 0x0d:
      return true
    case 0x85:
      return text[at - 1] === 0xc2
    case 0xa8:
    case 0xa9:
      return text[at - 1] === 0x80 && text[at - 2] === 0xe2
    default:
      return false
  }
}

/** Is there a `⟨` or `⟩`, as its last byte says? */
function isWide(text: Buffer, at: number, last: number): boolean {
  return text[at] === WIDE_QUOTE && text[at + 1] === BRACKET && text[at + 2] === last
}
