import type { CustomSeriesRenderItemReturn } from 'echarts'
import type { CustomSeriesOption } from 'echarts/charts'
import { formatValue } from '../../format.ts'
import type { Point, Unit } from '../../results.ts'
import type { Markup } from '../html.ts'
import { type KindLook, symbolPath } from '../kinds.ts'
import { drawChart } from './chart.ts'
import { stand } from './ink.ts'
import { drawnAxis, valueAxis } from './value-axis.ts'

export interface DistributionRow {
  readonly label: string
  readonly look: KindLook
  readonly point: Point
}

type Mark = Extract<CustomSeriesRenderItemReturn, { readonly type: 'group' }>['children'][number]

/** For a page of that width: beside each row its name, or above it. */
type Layout = typeof WIDE | typeof NARROW

const WIDE = {
  name: 'wide',
  width: 860,
  rowHeight: 30,
  left: 250,
  right: 92,
  labelAbove: 0,
  ticks: 8,
  labelWidth: 236,
} as const
const NARROW = {
  name: 'narrow',
  width: 340,
  rowHeight: 46,
  left: 10,
  right: 14,
  labelAbove: 14,
  ticks: 4,
  labelWidth: 240,
} as const
const AXIS_HEIGHT = 28

/**
 * One row a subject: every sample as a fine line, the median as its kind's symbol, a bar from the 5th to the 95th of a hundred, the
 * 99th as a small ring. Drawn twice, for wide and narrow pages; the page shows one of them.
 */
export function distributionCharts(
  rows: readonly DistributionRow[],
  unit: Unit,
  says: { readonly id: string; readonly title: string; readonly description: string },
): { readonly wide: Markup; readonly narrow: Markup } {
  const draw = (layout: Layout): Markup =>
    drawDistribution(rows, unit, layout, { ...says, id: `${says.id}-${layout.name}` })
  return { wide: draw(WIDE), narrow: draw(NARROW) }
}

function drawDistribution(
  rows: readonly DistributionRow[],
  unit: Unit,
  layout: Layout,
  says: { readonly id: string; readonly title: string; readonly description: string },
): Markup {
  const axis = valueAxis(
    rows.flatMap(({ point }) => [point.samples[0] ?? point.min, point.p50, point.p99, ...quantiles(point)]),
    layout.ticks,
  )
  const height = rows.length * layout.rowHeight + AXIS_HEIGHT
  return drawChart(
    {
      grid: { left: layout.left, right: layout.right, top: 4, bottom: AXIS_HEIGHT - 4, outerBoundsMode: 'none' },
      xAxis: drawnAxis(axis, unit),
      yAxis: { type: 'value', min: 0, max: rows.length, inverse: true, show: false },
      series: [
        {
          type: 'custom',
          silent: true,
          clip: false,
          data: rows.map(({ point }, n) => [point.p50, n + 0.5]),
          renderItem: ({ dataIndex }, api) => {
            const row = rows[dataIndex]
            if (row === undefined) return null
            const x = (value: number): number =>
              api.coord([Math.min(axis.max, Math.max(axis.min, value)), dataIndex + 0.5])[0] ?? 0
            const y = (api.coord([axis.max, dataIndex + 0.5])[1] ?? 0) + layout.labelAbove
            return { type: 'group', children: rowMarks(row, unit, layout, x, y) }
          },
        } satisfies CustomSeriesOption,
      ],
    },
    { width: layout.width, height },
    says,
  )
}

function rowMarks(
  { label, look, point }: DistributionRow,
  unit: Unit,
  layout: Layout,
  x: (value: number) => number,
  y: number,
): Mark[] {
  const [low, high] = quantiles(point)
  const ink = stand(look.ink)
  // Samples that fall on the same half pixel are one line.
  const places = [...new Set(point.samples.map((sample) => Math.round(x(sample) * 2) / 2))]
  const strip = places.map((place) => `M${place} ${y - 7}v14`).join('')
  const isAbove = layout.labelAbove > 0
  const textY = isAbove ? y - 22 : y
  return [
    { type: 'path', shape: { pathData: strip }, style: { stroke: ink, lineWidth: 1, fill: 'none', opacity: 0.3 } },
    {
      type: 'path',
      shape: { pathData: `M${x(low)} ${y}H${x(high)}` },
      style: { stroke: ink, lineWidth: 3, fill: 'none', lineCap: 'round' },
    },
    {
      type: 'circle',
      shape: { cx: x(point.p99), cy: y, r: 3 },
      style: { fill: stand('paper'), stroke: ink, lineWidth: 1.5 },
    },
    {
      type: 'path',
      shape: { pathData: symbolPath(look.symbol, x(point.p50), y, 6) },
      style: { fill: ink, stroke: stand('paper'), lineWidth: 1.5 },
    },
    {
      type: 'text',
      style: {
        text: label,
        ...(isAbove ? { x: layout.left, align: 'left' } : { x: layout.left - 14, align: 'right' }),
        y: textY,
        verticalAlign: 'middle',
        fill: stand('text'),
        fontSize: 13,
        width: layout.labelWidth,
        overflow: 'truncate',
      },
    },
    {
      type: 'text',
      style: {
        text: formatValue(point.p50, unit),
        x: layout.width - (isAbove ? layout.right : 2),
        y: textY,
        align: 'right',
        verticalAlign: 'middle',
        fill: stand('text'),
        fontSize: 13,
      },
    },
  ]
}

/** The 5th and the 95th of a hundred. */
function quantiles({ samples, min, max }: Point): readonly [number, number] {
  const at = (share: number): number | undefined => samples[Math.round(share * (samples.length - 1))]
  return [at(0.05) ?? min, at(0.95) ?? max]
}
