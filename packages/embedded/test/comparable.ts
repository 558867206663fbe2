/** Two servers never agree on these. */
const OWN: readonly (readonly [RegExp, string])[] = [
  [/^eyJ.*/, 'a token'],
  [/^surrealdb-.*/, 'a version'],
  [/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'a made-up UUID'],
  [/ PASSHASH '\$argon2[^']*'/g, " PASSHASH 'a hash'"],
  [/^surreal-(bearer|refresh)-.*/, 'a key'],
  [/:[a-z0-9]{20}(?![a-z0-9])/g, ':a made-up id'],
]

/** As a text, without what is each server's own. The order of keys means nothing. */
export function comparable(value: unknown): string {
  const sorted = (key: string, item: unknown): unknown => {
    if (key === 'time') return 'a time'
    if (item === undefined) return 'NONE'
    if (typeof item === 'bigint') return `${item}n`
    if (typeof item === 'string') return OWN.reduce((text, [own, instead]) => text.replace(own, instead), item)
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return JSON.stringify(value, sorted, 1)
}
