import type { CustomSeriesRenderItemReturn } from 'echarts'
import { CustomChart, type CustomSeriesOption } from 'echarts/charts'
import { GridComponent, type GridComponentOption } from 'echarts/components'
import { type ComposeOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { html, Markup } from '../html.ts'
import { inked } from './ink.ts'

export type ChartOption = ComposeOption<CustomSeriesOption | GridComponentOption>

/** What a series draws itself. */
export type Mark = Extract<CustomSeriesRenderItemReturn, { readonly type: 'group' }>['children'][number]

use([CustomChart, GridComponent, SVGRenderer])

/**
 * Draws without a DOM, to an image that scales to the width of its place and says to a screen reader what it shows. `id` is
 * unique in the page.
 */
export function drawChart(
  option: ChartOption,
  size: { readonly width: number; readonly height: number },
  says: { readonly id: string; readonly title: string; readonly description: string },
): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({ animation: false, ...option })
    const drawn = chart.renderToSVGString()
    const content = drawn.slice(drawn.indexOf('>') + 1, drawn.lastIndexOf('</svg>'))
    const { id, title, description } = says
    return html`<svg role="img" aria-labelledby="${id}-t" aria-describedby="${id}-d" viewBox="0 0 ${size.width} ${size.height}"><title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>${new Markup(inked(plain(content)))}</svg>`
  } finally {
    chart.dispose()
  }
}

/** Without what serves a library in a browser: styles (the page's policy allows its own only) and marks for events; no more digits than a screen shows. */
function plain(content: string): string {
  return content
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/ style="font-size:(\d+)px;[^"]*"/g, ' font-size="$1"')
    .replace(/ (?:class|pointer-events|ecmeta_[a-z_]+|style)="[^"]*"/g, '')
    .replace(/<[^>]+>/g, (tag) => tag.replace(/(\d\.\d\d)\d+/g, '$1'))
    .replace(/\n+/g, '\n')
}
