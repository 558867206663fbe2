import { linearRegression, medianSorted, quantileSorted } from 'simple-statistics'
import type { Point, Series } from './results.ts'
import { thinned } from './thinned.ts'

const MOST_SAMPLES = 200
const RESAMPLES = 1_000

/** Of at least one value. */
export function summarize(values: readonly number[], at?: number | string): Point {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) throw new Error('there is nothing to summarize')
  return {
    ...(at === undefined ? {} : { at }),
    n: sorted.length,
    min,
    p50: medianSorted(sorted),
    p90: quantileSorted(sorted, 0.9),
    p99: quantileSorted(sorted, 0.99),
    max,
    interval: intervalOfMedian(sorted),
    samples: thinned(sorted, MOST_SAMPLES),
  }
}

/** Of what several turns gave, each at least one value. */
export function summarizeTurns(turns: readonly (readonly number[])[], at?: number | string): Point {
  return { ...summarize(turns.flat(), at), turns: turns.map(medianOf) }
}

/**
 * The exponent of the power law through the medians over the axis (which have to be positive numbers), with 95 % by bootstrap over
 * the samples of each point: 0 is flat, 1 linear.
 */
export function fittedExponent(points: readonly Point[]): NonNullable<Series['exponent']> {
  const slope = (medians: readonly number[]): number =>
    linearRegression(points.map(({ at }, n) => [Math.log(Number(at)), Math.log(medians[n] ?? 0)])).m
  const random = randomNumbers()
  const slopes = Array.from({ length: RESAMPLES }, () =>
    slope(points.map(({ samples }) => medianOf(resample(samples, random)))),
  ).toSorted((a, b) => a - b)
  return {
    value: slope(points.map(({ p50 }) => p50)),
    low: quantileSorted(slopes, 0.025),
    high: quantileSorted(slopes, 0.975),
  }
}

/** Points over an axis, with the exponent where there are enough of them to fit one. */
export function curveOf(points: readonly Point[]): Pick<Series, 'points' | 'exponent'> {
  return points.length < 2 ? { points } : { points, exponent: fittedExponent(points) }
}

/** By how much the median changed, as a ratio, with 95 % by bootstrap: beyond doubt only when 1 is outside. */
export function ratioOfMedians(
  now: readonly number[],
  before: readonly number[],
): readonly [low: number, high: number] {
  const random = randomNumbers()
  const ratios = Array.from(
    { length: RESAMPLES },
    () => medianOf(resample(now, random)) / medianOf(resample(before, random)),
  ).toSorted((a, b) => a - b)
  return [quantileSorted(ratios, 0.025), quantileSorted(ratios, 0.975)]
}

/** Of at least one value. The bootstrap does it a thousand times a point: numbers in a typed array are sorted without a call for each pair. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = new Float64Array(values).sort()
  const [below = Number.NaN, above = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (below + above) / 2
}

function intervalOfMedian(values: readonly number[]): readonly [number, number] {
  const sample = thinned(values, MOST_SAMPLES)
  const random = randomNumbers()
  const medians = Array.from({ length: RESAMPLES }, () => medianOf(resample(sample, random))).toSorted((a, b) => a - b)
  return [quantileSorted(medians, 0.025), quantileSorted(medians, 0.975)]
}

function resample(values: readonly number[], random: () => number): Float64Array {
  const drawn = new Float64Array(values.length)
  for (let n = 0; n < drawn.length; n++) drawn[n] = values[Math.floor(random() * values.length)] ?? 0
  return drawn
}

/** The same in every run, so that a document is not different each time it is made anew. (Mulberry32, Tommy Ettinger.) */
function randomNumbers(): () => number {
  let state = 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
