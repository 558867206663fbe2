import { formatTick } from '../../format.ts'
import type { Unit } from '../../results.ts'
import { stand } from './ink.ts'

/** More than this from end to end, and a linear axis hides the small ones. */
const WIDE = 4
const STEPS = [1, 2, 5, 10] as const

/** An axis for measured values, logarithmic where they differ widely, from and to a round number. */
export interface ValueAxis {
  readonly type: 'log' | 'value'
  readonly min: number
  readonly max: number
  readonly ticks: readonly number[]
}

export function valueAxis(values: readonly number[], most: number): ValueAxis {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (low <= 0 || high / low < WIDE) return linear(low, high, most)
  const min = roundTo(low, 'down')
  const max = roundTo(high, 'up')
  const decades = Math.log10(max / min)
  const first = Math.floor(Math.log10(min) + 1e-9)
  const steps = decades * 3 <= most ? [1, 2, 5] : [1]
  const every = Math.max(1, Math.ceil(decades / most))
  const ticks = Array.from({ length: Math.ceil(decades) + 2 }, (_, n) => first + n)
    .filter((power) => (power - first) % every === 0)
    .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
  return { type: 'log', min, max, ticks: ticks.filter((tick) => tick >= min * 0.999 && tick <= max * 1.001) }
}

function linear(low: number, high: number, most: number): ValueAxis {
  const step = roundTo(Math.max(high, 1e-9) / Math.max(1, most - 1), 'up')
  const min = Math.min(0, Math.floor(low / step) * step)
  const count = Math.max(1, Math.ceil((high - min) / step - 1e-9))
  return {
    type: 'value',
    min,
    max: min + count * step,
    ticks: Array.from({ length: count + 1 }, (_, n) => min + n * step),
  }
}

/** The next of 1, 2, 5 times a power of ten. */
function roundTo(value: number, direction: 'up' | 'down'): number {
  const power = Math.floor(Math.log10(value) + 1e-9)
  const digit = value / 10 ** power
  const step =
    direction === 'up'
      ? (STEPS.find((one) => one >= digit * 0.9999) ?? 10)
      : (STEPS.findLast((one) => one <= digit * 1.0001) ?? 1)
  return Number(`${step}e${power}`)
}

/** As the library wants it. */
export function drawnAxis({ type, min, max, ticks }: ValueAxis, unit: Unit): object {
  return {
    type,
    min,
    max,
    axisLine: { show: false },
    axisTick: { show: false, customValues: ticks },
    axisLabel: {
      customValues: ticks,
      color: stand('muted'),
      fontSize: 12,
      hideOverlap: true,
      formatter: (value: number) => formatTick(Number(value.toPrecision(6)), unit),
    },
    splitLine: { show: true, lineStyle: { color: stand('faint'), width: 1 } },
  }
}
