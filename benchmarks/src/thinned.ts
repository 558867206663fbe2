/** The values, sorted; of more than `most` so many, evenly over the ranks, first and last included: quantiles stay. */
export function thinned(values: readonly number[], most: number): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b)
  if (sorted.length <= most) return sorted
  return Array.from({ length: most }, (_, n) => sorted[Math.round((n * (sorted.length - 1)) / (most - 1))] ?? 0)
}
