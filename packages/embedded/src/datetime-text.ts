/** Whole seconds since 1970, and the nanoseconds after them. */
export interface Instant {
  readonly seconds: bigint
  readonly nanos: number
}

const DATE = /^([+-]?)(\d{4,6})-(\d\d)-(\d\d)/
const TIME = /^[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))/
const NO_TIME = ['', '00', '00', '00'] as const

/** SurrealDB's years. */
const FIRST_YEAR = -262_143
const LAST_YEAR = 262_142

/**
 * The instant that a text is in the way that SurrealQL writes one: a date alone, or with a time and an offset. After the offset
 * anything may follow, as with the real server.
 */
export function instantOf(text: string): Instant | undefined {
  const [date, sign, digits, month, day] = DATE.exec(text) ?? []
  if (date === undefined) return undefined
  const rest = text.slice(date.length)
  const [, hour, minute, second, fraction = '', offsetSign, offsetHour = '0', offsetMinute = '0'] =
    rest === '' ? NO_TIME : (TIME.exec(rest) ?? [])
  if (hour === undefined) return undefined
  const year = Number(`${sign}${digits}`)
  const days = daysBefore(year, Number(month), Number(day))
  const [h, m, s, oh, om] = [hour, minute, second, offsetHour, offsetMinute].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (days === undefined || h > 23 || m > 59 || s > 59 || oh > 23 || om > 59) return undefined
  const offset = (oh * 60 + om) * 60 * (offsetSign === '-' ? -1 : 1)
  const seconds = BigInt(days) * 86_400n + BigInt(h * 3_600 + m * 60 + s - offset)
  // More digits than nanoseconds are dropped.
  return { seconds, nanos: Number(fraction.slice(0, 9).padEnd(9, '0')) }
}

function daysBefore(year: number, month: number, day: number): number | undefined {
  if (year < FIRST_YEAR || year > LAST_YEAR) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return date.getTime() / 86_400_000
}
