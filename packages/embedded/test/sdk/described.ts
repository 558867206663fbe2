import { DateTime, Duration, ServerError, SurrealError, Uuid, Value } from 'surrealdb'

/** A case takes seconds; what is further from now was not made by it. */
const NOW_MS = 3_600_000

/** What is made for the occasion, wherever it stands in a text. */
const MADE_UP: readonly (readonly [RegExp, string])[] = [
  [/^surreal-refresh-.*/, 'a refresh token'],
  [/^surreal-bearer-.*/, 'a bearer key'],
  [/(?<=:)[a-z0-9]{20}\b/g, 'a made-up id'],
  [/\$argon2id\$[^']*/g, 'a hash'],
  [/\$bind__\w+/g, '$bind'],
  [/\b(?!(.)\1{7}-)[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'a made-up UUID'],
]

/**
 * An answer as plain data that says of each value which of the SDK's types it has. Left out: what no two servers agree on
 * (times, durations of statements, UUIDs and secrets that were made for the occasion).
 */
export function described(value: unknown, key = ''): unknown {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (typeof value === 'string') return describedText(value)
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : `number ${sign(value)}`
  if (typeof value === 'function') return 'a function'
  if (value instanceof Error) return describedError(value)
  if (value instanceof Uuid) return `Uuid ${describedText(`${value}`)}`
  if (value instanceof DateTime || value instanceof Date) return describedTime(value)
  if (value instanceof Duration && key === 'duration') return 'a duration'
  if (value instanceof Value) return `${value.constructor.name} ${describedText(`${value}`)}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value instanceof ArrayBuffer) return described(new Uint8Array(value))
  if (Array.isArray(value)) return value.map((item) => described(item))
  if (value instanceof Set) return { set: [...value].map((item) => described(item)) }
  if (value instanceof Map) return { map: [...value].map((item) => described(item)) }
  const fields = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, described(item, name)]))
  const made = Object.getPrototypeOf(value)?.constructor
  return made === undefined || made === Object ? fields : { ...fields, class: made.name }
}

function sign(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function describedText(text: string): string {
  return MADE_UP.reduce((left, [form, instead]) => left.replace(form, instead), withoutPlace(text))
}

/** Where in a query of the SDK an error is depends on how long the names are that it has made up. */
function withoutPlace(text: string): string {
  const place = text.indexOf('\n --> ')
  return place !== -1 && /\$bind__|\| \.\.\./.test(text) ? `${text.slice(0, place)} (in a query of the SDK)` : text
}

function describedTime(value: DateTime | Date): string {
  const ms = value instanceof Date ? value.getTime() : value.milliseconds
  return Math.abs(ms - Date.now()) < NOW_MS ? 'a time about now' : `${value.constructor.name} ${value.toISOString()}`
}

/** With all that the class says about itself: its fields, and the getters that read the details. */
function describedError(error: Error): unknown {
  const names = new Set([
    'name',
    'message',
    ...Object.keys(error),
    ...(error instanceof ServerError ? getters(error) : []),
  ])
  for (const noise of ['stack', 'cause', 'buffer', 'session', 'feature']) names.delete(noise)
  const told = [...names].map((name) => [name, described((error as unknown as Record<string, unknown>)[name])] as const)
  return {
    class: error.constructor.name,
    ...Object.fromEntries(told),
    // What Node says about a socket is not what the server says.
    ...(error.cause instanceof SurrealError && { cause: described(error.cause) }),
    ...('feature' in error && { feature: `${(error.feature as { readonly name: string }).name}` }),
  }
}

function getters(error: ServerError): readonly string[] {
  const names: string[] = []
  for (
    let at = Object.getPrototypeOf(error);
    at !== SurrealError.prototype && at !== null;
    at = Object.getPrototypeOf(at)
  ) {
    const own = Object.entries(Object.getOwnPropertyDescriptors(at))
    for (const [name, { get }] of own) if (get !== undefined && !name.startsWith('__')) names.push(name)
  }
  return names
}
