import type { CustomSeriesOption } from 'echarts/charts'
import { formatValue } from '../../format.ts'
import type { Point, Unit } from '../../results.ts'
import type { Markup } from '../html.ts'
import { type KindLook, symbolPath } from '../kinds.ts'
import { drawChart, type Mark } from './chart.ts'
import { stand } from './ink.ts'
import { drawnAxis, valueAxis } from './value-axis.ts'

export interface DistributionRow {
  readonly label: string
  readonly look: KindLook
  readonly point: Point
}

interface Layout {
  readonly name: string
  readonly width: number
  readonly rowHeight: number
  readonly right: number
  /** At most; the name of a row stands there, or above it. */
  readonly left: number
  readonly labels: 'beside' | 'above'
  readonly ticks: number
}

const WIDE: Layout = { name: 'wide', width: 860, rowHeight: 30, left: 260, right: 88, labels: 'beside', ticks: 8 }
const NARROW: Layout = { name: 'narrow', width: 340, rowHeight: 46, left: 10, right: 14, labels: 'above', ticks: 4 }
/** How far below its middle a row is drawn that has its name above it, and how far above that the name stands. */
const BELOW_LABEL = 14
const ABOVE_ROW = 22
const LABEL_GAP = 14
const FONT_SIZE = 13
/** Of a letter, in a font that has wide ones. */
const LETTER_WIDTH = 8
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
  base: Layout,
  says: { readonly id: string; readonly title: string; readonly description: string },
): Markup {
  const longest = Math.max(...rows.map(({ label }) => label.length))
  const needed = 2 * LABEL_GAP + longest * LETTER_WIDTH
  const layout = base.labels === 'above' ? base : { ...base, left: Math.min(base.left, needed) }
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
            const y = (api.coord([axis.max, dataIndex + 0.5])[1] ?? 0) + (layout.labels === 'above' ? BELOW_LABEL : 0)
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
  const isAbove = layout.labels === 'above'
  const textY = isAbove ? y - ABOVE_ROW : y
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
        ...(isAbove ? { x: layout.left, align: 'left' } : { x: layout.left - LABEL_GAP, align: 'right' }),
        y: textY,
        verticalAlign: 'middle',
        fill: stand('text'),
        // An edge of the paper's colour: lines of the grid end at a letter.
        stroke: stand('paper'),
        lineWidth: 4,
        fontSize: FONT_SIZE,
        width: isAbove ? layout.width - 100 : layout.left - 2 * LABEL_GAP,
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
        // An edge of the paper's colour: lines of the grid end at a letter.
        stroke: stand('paper'),
        lineWidth: 4,
        fontSize: FONT_SIZE,
      },
    },
  ]
}

/** The 5th and the 95th of a hundred. */
function quantiles({ samples, min, max }: Point): readonly [number, number] {
  const at = (share: number): number | undefined => samples[Math.round(share * (samples.length - 1))]
  return [at(0.05) ?? min, at(0.95) ?? max]
}
