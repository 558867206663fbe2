export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The value that the share `q` of all does not exceed. */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]
}

/** Two digits that mean something, no more. */
export function round(value) {
  return value < 10 ? Math.round(value * 100) / 100 : Math.round(value)
}

/** For `JSON.stringify`: every number rounded. */
export function rounded(_key, value) {
  return typeof value === 'number' ? round(value) : value
}
