import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts'
import { shortNumber } from '../../format.ts'
import type { ScenarioResult, Series, Unit } from '../../results.ts'
import type { Markup } from '../html.ts'
import { type KindLook, symbolPath } from '../kinds.ts'
import { drawChart } from './chart.ts'
import { stand } from './ink.ts'
import { drawnAxis, valueAxis } from './value-axis.ts'

const SIZE = { width: 300, height: 176 }
const VALUE_TICKS = 5
const AT_TICKS = 5

export interface GrowthPanel {
  /** The one that it shows; the others are drawn faintly behind it, so that all panels compare. */
  readonly series: Series
  readonly look: KindLook
  readonly says: { readonly id: string; readonly title: string; readonly description: string }
}

/** Small multiples over one pair of axes: a median a point, joined; a whisker from it to the 99th of a hundred. */
export function growthCharts(
  panels: readonly GrowthPanel[],
  unit: Unit,
  axis: NonNullable<ScenarioResult['axis']>,
): readonly Markup[] {
  const points = panels.flatMap(({ series }) => series.points)
  const values = valueAxis(
    points.flatMap(({ p50, p99 }) => [p50 * 0.8, p99]),
    VALUE_TICKS,
  )
  const ats = [...new Set(points.map(({ at }) => at ?? ''))]
  const isOrdered =
    axis.scale !== 'category' && ats.every((at) => typeof at === 'number' && (axis.scale === 'linear' || at > 0))
  const places = isOrdered ? ats.toSorted((a, b) => Number(a) - Number(b)) : ats
  const x = (at: number | string | undefined): number | string => (isOrdered ? Number(at) : String(at))
  const lines = panels.map(({ series }) => series.points.map((point) => [x(point.at), point.p50]))
  return panels.map(({ series, look, says }, shown) =>
    drawChart(
      {
        grid: { left: 54, right: 16, top: 10, bottom: 26, outerBoundsMode: 'none' },
        xAxis: {
          ...(isOrdered
            ? { type: axis.scale === 'log' ? 'log' : 'value', min: Number(places[0]), max: Number(places.at(-1)) }
            : { type: 'category', data: places.map(String), boundaryGap: true }),
          axisLine: { show: true, onZero: false, lineStyle: { color: stand('faint') } },
          axisTick: { show: false },
          axisLabel: {
            ...(isOrdered ? { customValues: fewOf(places.map(Number)) } : {}),
            color: stand('muted'),
            fontSize: 12,
            hideOverlap: true,
            formatter: (value: number | string) => (typeof value === 'number' ? shortNumber(value) : value),
          },
          splitLine: { show: false },
        },
        yAxis: drawnAxis(values, unit),
        series: [
          ...lines.filter((_, n) => n !== shown).map((data) => line(data, 'ghost')),
          line(lines[shown] ?? [], 'shown', look),
          {
            type: 'custom',
            silent: true,
            z: 4,
            clip: false,
            data: series.points.map((point) => [x(point.at), point.p50]),
            renderItem: ({ dataIndex }, api) => {
              const point = series.points[dataIndex]
              if (point === undefined) return null
              const [px = 0, py = 0] = api.coord([x(point.at), point.p50])
              const [, top = 0] = api.coord([x(point.at), point.p99])
              return {
                type: 'group',
                children: [
                  {
                    type: 'path',
                    shape: { pathData: `M${px} ${py}V${top}M${px - 4} ${top}h8` },
                    style: { stroke: stand(look.ink), lineWidth: 1.25, fill: 'none' },
                  },
                  {
                    type: 'path',
                    shape: { pathData: symbolPath(look.symbol, px, py, 5) },
                    style: { fill: stand(look.ink), stroke: stand('paper'), lineWidth: 1.5 },
                  },
                ],
              }
            },
          } satisfies CustomSeriesOption,
        ],
      },
      SIZE,
      says,
    ),
  )
}

function line(
  data: readonly (readonly (number | string)[])[],
  role: 'shown' | 'ghost',
  look?: KindLook,
): LineSeriesOption {
  const isShown = role === 'shown'
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    // A clip path would have a name, and names of the drawings of a page are not told apart.
    clip: false,
    z: isShown ? 3 : 2,
    data: data.map((pair) => [...pair]),
    lineStyle: { color: stand(isShown ? (look?.ink ?? 'other') : 'ghost'), width: isShown ? 2 : 1 },
  }
}

/** First, last, and evenly between. */
function fewOf(places: readonly number[]): number[] {
  const every = Math.ceil((places.length - 1) / (AT_TICKS - 1)) || 1
  return places.filter((_, n) => n === places.length - 1 || (n % every === 0 && n + every / 2 < places.length - 1))
}
