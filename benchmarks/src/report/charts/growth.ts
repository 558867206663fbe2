import type { CustomSeriesOption } from 'echarts/charts'
import { shortNumber } from '../../format.ts'
import type { Point, ScenarioResult, Series, Unit } from '../../results.ts'
import type { Markup } from '../html.ts'
import { type KindLook, symbolPath } from '../kinds.ts'
import { drawChart, type Mark } from './chart.ts'
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
  return panels.map(({ says }, shown) =>
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
        // Drawn by hand: a line of the library brings a clip path, whose name is not the same in two drawings.
        series: {
          type: 'custom',
          silent: true,
          clip: false,
          data: panels.map(({ series }) => [x(series.points[0]?.at), series.points[0]?.p50 ?? 0]),
          renderItem: ({ dataIndex }, api) => {
            const place = ({ at }: Point, value: number): readonly [number, number] => {
              const [px = 0, py = 0] = api.coord([x(at), value])
              return [px, py]
            }
            // The one that is shown comes last, over the others.
            const drawn = dataIndex === panels.length - 1 ? shown : dataIndex < shown ? dataIndex : dataIndex + 1
            const panel = panels[drawn]
            if (panel === undefined) return null
            const line = lineOf(panel, drawn === shown, place)
            return { type: 'group', children: drawn === shown ? [line, ...pointMarks(panel, place)] : [line] }
          },
        } satisfies CustomSeriesOption,
      },
      SIZE,
      says,
    ),
  )
}

type Place = (point: Point, value: number) => readonly [x: number, y: number]

function lineOf({ series, look }: GrowthPanel, isShown: boolean, place: Place): Mark {
  const path = series.points.map((point) => place(point, point.p50).join(' ')).join('L')
  return {
    type: 'path',
    shape: { pathData: `M${path}` },
    style: { stroke: stand(isShown ? look.ink : 'ghost'), lineWidth: isShown ? 2 : 1, fill: 'none' },
  }
}

function pointMarks({ series, look }: GrowthPanel, place: Place): readonly Mark[] {
  return series.points.flatMap((point): readonly Mark[] => {
    const [x, y] = place(point, point.p50)
    const [, top] = place(point, point.p99)
    return [
      {
        type: 'path',
        shape: { pathData: `M${x} ${y}V${top}M${x - 4} ${top}h8` },
        style: { stroke: stand(look.ink), lineWidth: 1.25, fill: 'none' },
      },
      {
        type: 'path',
        shape: { pathData: symbolPath(look.symbol, x, y, 5) },
        style: { fill: stand(look.ink), stroke: stand('paper'), lineWidth: 1.5 },
      },
    ]
  })
}

/** First, last, and evenly between. */
function fewOf(places: readonly number[]): number[] {
  const every = Math.ceil((places.length - 1) / (AT_TICKS - 1)) || 1
  return places.filter((_, n) => n === places.length - 1 || (n % every === 0 && n + every / 2 < places.length - 1))
}
