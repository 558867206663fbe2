/** With it everything is tested with everybody: `pnpm soak combinations`. */
const everyCombination = process.env.PROCREF_EVERY_COMBINATION === '1'

/**
 * Of `items` those that are tested with `one` of `all`, where each takes seconds and goes the same way with everybody: in turn, so that every
 * item is tested with somebody. `turn`: who has the first one; two lists with different turns test an item with different ones.
 * PROCREF_EVERY_COMBINATION=1: all.
 */
export function shareOf<Item, One>(items: readonly Item[], one: One, all: readonly One[], turn = 0): readonly Item[] {
  return items.filter((_, n) => isTurnOf(one, n + turn, all))
}

type Body = () => void | Promise<void>
interface Limit {
  readonly timeout: number
}

/** What registers a test: vitest's `test`, without what it can do besides. */
export interface Register {
  (name: string, body: Body): void
  (name: string, limit: Limit, body: Body): void
}

/** `test` for a group of tests that is there once for each of `all`: registers those of them that are tested with `one`, as `shareOf` chooses. */
export function testsInTurn<One>(test: Register, one: One, all: readonly One[]): Register {
  let n = 0
  return (...args: [string, Body] | [string, Limit, Body]) => {
    if (!isTurnOf(one, n++, all)) return
    if (args.length === 2) test(...args)
    else test(...args)
  }
}

function isTurnOf<One>(one: One, n: number, all: readonly One[]): boolean {
  return everyCombination || all[n % all.length] === one
}
