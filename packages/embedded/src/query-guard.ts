import { Type } from 'cborg'
import { tokenize } from './cbor.ts'

/**
 * The engine (3.0.2) works through an expression by recursion, however long it is: tens of thousands of `1+1+1…` overflow its
 * stack, and with it end the process and everybody's database. The real server refuses more than 128 links (since 3.1). We
 * refuse what could come near the end of the stack that engine-environment.ts provides.
 */
const MAX_LINKS = 4_000

/** Too short to hold that many. 16,384 `!` were survived in 64 MiB. */
const SHORT = 8 * 1024

const OPERATORS: ReadonlySet<string> = new Set('!+-*/%<>&|?=~×÷')
const WORD = /[A-Za-z_]\w*/y
const LINKING_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'explain'])
const QUOTES: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '⟨': '⟩' }

/** `isTooDeep` for the params of `query`. */
export function isTooDeepQuery(params: Buffer): boolean {
  if (params.length < SHORT) return false
  const tokens = tokenize(params)
  if (tokens.next().value === 0) return false
  const { type, value } = tokens.next()
  return type === Type.string && isTooDeep(value)
}

/**
 * Could this text hold an expression deeper than the engine's stack? An estimate from above, by operators and brackets since
 * the last `,` or `;`; strings and comments are passed over.
 */
export function isTooDeep(text: string): boolean {
  if (text.length < SHORT) return false
  let links = 0
  const outside: number[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    const end = QUOTES[char]
    if (end !== undefined) at = endOfQuoted(text, at + 1, end)
    else if (isCommentStart(text, at)) at = endOfComment(text, at)
    else if (char === '(' || char === '[' || char === '{') outside.push(++links)
    else if (char === ')' || char === ']' || char === '}') links = outside.pop() ?? 0
    else if (char === ',' || char === ';') links = outside.at(-1) ?? 0
    else if (OPERATORS.has(char)) links++
    else if (/[A-Za-z_]/.test(char)) {
      WORD.lastIndex = at
      const word = WORD.exec(text)?.[0] ?? char
      if (LINKING_WORDS.has(word.toLowerCase())) links++
      at += word.length - 1
    }
    if (links > MAX_LINKS) return true
  }
  return false
}

function endOfQuoted(text: string, from: number, end: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === end) return at
  }
  return text.length
}

function isCommentStart(text: string, at: number): boolean {
  const two = text.slice(at, at + 2)
  return text[at] === '#' || two === '--' || two === '//' || two === '/*'
}

function endOfComment(text: string, at: number): number {
  const block = text.startsWith('/*', at)
  const end = text.indexOf(block ? '*/' : '\n', at + 1)
  return end === -1 ? text.length : end + (block ? 1 : 0)
}
