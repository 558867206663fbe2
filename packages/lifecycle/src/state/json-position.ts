/**
 * Where things are in a JSON text, for messages that name a line. Node 20's `JSON.parse` does not tell where it failed in
 * most cases ("Unexpected token … is not valid JSON"), and never where a key stands.
 */

const TOKEN = new RegExp(
  [
    String.raw`[ \t\n\r]*(?:`,
    // A control character in a string must be escaped; those from 7F on are none to JSON.
    String.raw`("(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")`,
    String.raw`|((?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+\-]?\d+)?|true|false|null)(?![\w.]))`,
    String.raw`|([\{\}\[\]:,])|$)`,
  ].join(''),
  'uy',
)

/** A token: a string with its quotes, another scalar, a punctuation mark, or '' at the end of the text. */
interface Token {
  readonly text: string
  readonly offset: number
}

/** The line (from 1) of the first thing that makes `text` no JSON. Caller: it is none. */
export function lineOfSyntaxError(text: string): number {
  const scan = new Scan(text)
  return lineAt(text, skipValue(scan) && scan.next()?.text === '' ? text.length : scan.failedAt)
}

/** The line (from 1) of the last `key` of the object that `text` is (the one that counts when it is there twice). */
export function lineOfKey(text: string, key: string): number {
  const scan = new Scan(text)
  let line = 1
  scan.next()
  while (true) {
    const name = scan.next()
    if (name === undefined || !name.text.startsWith('"')) return line
    if (JSON.parse(name.text) === key) line = lineAt(text, name.offset)
    scan.next()
    if (!skipValue(scan)) return line
    scan.next()
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

class Scan {
  readonly #text: string
  #offset = 0
  /** Where the last token began, or where there was none. */
  failedAt = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The next token; `undefined` where there is none that JSON knows. */
  next(): Token | undefined {
    TOKEN.lastIndex = this.#offset
    const match = TOKEN.exec(this.#text)
    if (match === null) {
      this.failedAt = this.#offset + (/^[ \t\n\r]*/.exec(this.#text.slice(this.#offset))?.[0].length ?? 0)
      return undefined
    }
    const text = match[1] ?? match[2] ?? match[3] ?? ''
    this.#offset = TOKEN.lastIndex
    this.failedAt = this.#offset - text.length
    return { text, offset: this.failedAt }
  }
}

/** Reads one value; false where it ends too early or goes wrong. Without recursion: a text can nest deeper than calls. */
function skipValue(scan: Scan): boolean {
  /** Of the objects and lists that have begun: what ends them. */
  const ends: string[] = []
  for (let token = scan.next(); ; ) {
    if (token === undefined || /^([}\]:,]|)$/.test(token.text)) return false
    const end = ENDS[token.text]
    const item = end === undefined ? undefined : scan.next()
    if (end !== undefined && item?.text !== end) {
      ends.push(end)
      token = firstOfValue(scan, end, item)
      continue
    }
    const next = afterValue(scan, ends)
    if (typeof next === 'boolean') return next
    token = next.value
  }
}

const ENDS: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

/** How the next value of what is open begins. True: nothing is open any more. False: neither an end nor a comma follows. */
function afterValue(scan: Scan, ends: string[]): boolean | { readonly value: Token | undefined } {
  for (;;) {
    const end = ends.at(-1)
    if (end === undefined) return true
    const token = scan.next()
    if (token?.text === ',') return { value: firstOfValue(scan, end, scan.next()) }
    if (token?.text !== end) return false
    ends.pop()
  }
}

/** How the value of an item that begins with `first` begins: of an object's, behind its name. `undefined`: it has none. */
function firstOfValue(scan: Scan, end: string, first: Token | undefined): Token | undefined {
  if (end === ']') return first
  return first?.text.startsWith('"') === true && scan.next()?.text === ':' ? scan.next() : undefined
}
