import { type Content, html } from './html.ts'

/** Text with its `code` in backticks shown as code. */
export function prose(text: string): Content {
  // Every second piece stands between two backticks; the last one of an odd number has no partner and is text.
  const pieces = text.split('`')
  const paired = pieces.length % 2 === 1 ? pieces : [...pieces.slice(0, -2), pieces.slice(-2).join('`')]
  return paired.map((piece, n) => (n % 2 === 1 ? html`<code>${piece}</code>` : piece))
}

/** As a sentence: a part of one gets its capital and its full stop. */
export function sentence(text: string): Content {
  const trimmed = text.trim()
  const begun =
    /^[a-z]/.test(trimmed) && !/^\S*[(/.]/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed
  return prose(/[.!?:]$/.test(begun) ? begun : `${begun}.`)
}
