/** One look at something that is to stay the same. */
export interface Point {
  readonly minute: number
  readonly value: number
}

export interface Trend {
  /** The mean of the last half. */
  readonly level: number
  /** Of the line that fits the last half best, and how far chance alone moves it (its standard error). */
  readonly perHour: number
  readonly noisePerHour: number
  /** By how much that line rises over the last half. */
  readonly rise: number
  readonly verdict: 'flat' | 'noise' | 'growing'
}

/**
 * Looks at one after the other are alike (a collector runs now and then), so each of them is no news: means of so many parts of the last
 * half are, and the line is fitted to those.
 */
const PARTS = 8
/** A rise of more standard errors than this is none of chance: once in some hundred lines of pure noise with so few parts. */
const CLEARLY = 3

/**
 * Whether the last half of `points` grows. The first half is for what is made once (caches, pools, tables that code is compiled into).
 *
 * `growing`: it rises by more than `allowed`, and clearly more than its noise. `noise`: it rises by more than `allowed`, but the noise explains it;
 * a longer run would tell. `flat`: it does not rise by more than `allowed`.
 */
export function trendOf(points: readonly Point[], allowed: (level: number) => number): Trend {
  const half = points.slice(points.length >> 1)
  const parts = partsOf(half).map(meanPoint)
  if (parts.length < 3) throw new Error(`${points.length} points are too few for a trend`)
  const at = mean(parts.map(({ minute }) => minute))
  const level = mean(parts.map(({ value }) => value))
  const spread = sum(parts.map(({ minute }) => (minute - at) ** 2))
  const slope = sum(parts.map(({ minute, value }) => (minute - at) * (value - level))) / spread
  const residuals = sum(parts.map(({ minute, value }) => (value - level - slope * (minute - at)) ** 2))
  const noise = Math.sqrt(residuals / (parts.length - 2) / spread)
  const rise = slope * ((half.at(-1)?.minute ?? 0) - (half[0]?.minute ?? 0))
  const isAllowed = rise <= allowed(level)
  const verdict = isAllowed ? 'flat' : slope > CLEARLY * noise ? 'growing' : 'noise'
  return { level, perHour: slope * 60, noisePerHour: noise * 60, rise, verdict }
}

function partsOf(points: readonly Point[]): readonly (readonly Point[])[] {
  const count = Math.min(PARTS, points.length)
  return Array.from({ length: count }, (_, i) =>
    points.slice(Math.floor((i * points.length) / count), Math.floor(((i + 1) * points.length) / count)),
  )
}

function meanPoint(points: readonly Point[]): Point {
  return { minute: mean(points.map(({ minute }) => minute)), value: mean(points.map(({ value }) => value)) }
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
