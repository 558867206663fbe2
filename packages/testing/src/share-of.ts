/** With it every item is tested with everybody: `pnpm soak combinations`. */
const everyCombination = process.env.PROCREF_EVERY_COMBINATION === '1'

/**
 * Of `items` those that are tested with `one` of `all`, where each takes seconds and goes the same way with everybody: in turn, so that every
 * item is tested with somebody. `turn`: who has the first one; two lists with different turns test an item with different ones.
 * PROCREF_EVERY_COMBINATION=1: all.
 */
export function shareOf<Item, One>(items: readonly Item[], one: One, all: readonly One[], turn = 0): readonly Item[] {
  if (everyCombination) return items
  return items.filter((_, n) => all[(n + turn) % all.length] === one)
}
