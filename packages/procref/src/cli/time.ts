const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const

/** How long ago the ISO 8601 time `at` was, in at most two units: `3s`, `2m 5s`, `4d 1h`; `?` when it is no time. */
export function formatAge(at: string, now: number = Date.now()): string {
  const seconds = Math.floor((now - Date.parse(at)) / 1_000)
  if (Number.isNaN(seconds)) return '?'
  // A clock that was set back must not show a holder from the future.
  let left = Math.max(0, seconds)
  const parts: string[] = []
  for (const [unit, size] of UNITS) {
    if (left >= size) parts.push(`${Math.floor(left / size)}${unit}`)
    left %= size
  }
  parts.push(`${left}s`)
  return parts.slice(0, 2).join(' ')
}
