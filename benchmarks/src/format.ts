import type { Unit } from './results.ts'

const TIMES = ['ns', 'µs', 'ms', 's'] as const

/** Three digits that count; groups of thousands. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const text =
    Math.abs(value) >= 1_000
      ? new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format(Number(value.toPrecision(3)))
      : new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value)
  return text.replace('-', '−')
}

/** For a column, where numbers are compared: with zeros at the end. */
export function formatColumn(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value) || Math.abs(value) >= 1_000) return formatNumber(value)
  const options = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }
  return new Intl.NumberFormat('en', options).format(value).replace('-', '−')
}

/** With its unit, on one line; times in the one that gives the shortest number. */
export function formatValue(value: number, unit: Unit): string {
  const time = (TIMES as readonly Unit[]).indexOf(unit)
  if (time >= 0) {
    const step = value > 0 ? Math.floor(Math.log10(Number(value.toPrecision(3))) / 3) : 0
    const shown = Math.max(0, Math.min(TIMES.length - 1, time + step))
    return `${formatNumber(value * 1_000 ** (time - shown))}\u00a0${TIMES[shown]}`
  }
  if (unit === 'per second') return `${formatNumber(value)}/s`
  if (unit === 'ratio') return `${formatNumber(value)}\u00a0×`
  if (unit === 'MB') return `${formatNumber(value)}\u00a0MB`
  return formatNumber(value)
}

/** For the scale of a chart, where place is scarce. */
export function formatTick(value: number, unit: Unit): string {
  const isLarge = Math.abs(value) >= 10_000 && !TIMES.some((time) => time === unit)
  return isLarge ? `${shortNumber(value)}${unit === 'per second' ? '/s' : ''}` : formatValue(value, unit)
}

/** `20k`, `1.5M`. */
export function shortNumber(value: number): string {
  if (Math.abs(value) < 10_000) return formatNumber(value)
  return Math.abs(value) < 1e6 ? `${formatNumber(value / 1e3)}k` : `${formatNumber(value / 1e6)}M`
}

/** Where a point stands on its axis: `100,000`, `50 %`. */
export function formatAt(at: number | string): string {
  if (typeof at !== 'number') return at
  return new Intl.NumberFormat('en', Number.isInteger(at) ? {} : { maximumSignificantDigits: 6 }).format(at)
}

export function formatDate(iso: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(
    new Date(iso),
  )
}

export function formatSeconds(seconds: number): string {
  if (seconds < 100) return `${seconds} s`
  return `${Math.round(seconds / 60)} min`
}

export function counted(count: number, one: string, many: string): string {
  return `${new Intl.NumberFormat('en').format(count)} ${count === 1 ? one : many}`
}
