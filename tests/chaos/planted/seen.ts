import type { Seen } from './planted-bug.ts'

/** How a violation of a round begins, or what is in it. */
const WORDS: readonly (readonly [RegExp, Seen])[] = [
  [/^two servers have the database open/, 'two servers on one data directory'],
  [/^the server \d+ ended under the lease/, 'a server stopped under a lease'],
  [/^of \d+ acknowledged rows|^the rows of \w+ have gaps/, 'an acknowledged write lost'],
  [/^nobody is left: not within|files are left|are gone are left|^all have gone/, 'something left behind'],
  [
    /has no answer after|was refused|lost its lease|ended by itself|^procref .* does not end|^(every|a program).*: not within/,
    'a caller without an answer',
  ],
  [/^a bystander/, 'a foreign process signalled'],
  [/^a stranger on the port heard/, 'a stranger on the port heard something'],
]

/** What kind of violation it is; undefined: none that a bug of procref's could cause. */
export function seenIn(violation: string): Seen | undefined {
  return WORDS.find(([words]) => words.test(violation))?.[1]
}
