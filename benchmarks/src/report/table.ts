import { type Content, html, type Markup } from './html.ts'

/** A cell that says more than its text. */
export interface Cell {
  readonly content: Content
  /** Classes of the style sheet. */
  readonly look?: string
}

export interface Table {
  /** Unique in the page. */
  readonly id: string
  readonly caption: Content
  readonly heading: readonly Content[]
  /** The first cell of each names it. */
  readonly rows: readonly (readonly (Content | Cell)[])[]
  readonly look?: string
}

/** A longer table is folded. */
const MOST_OPEN_ROWS = 24

/** Under `summary`, which opens and closes it; `beside` is said to a screen reader only, and tells it from others of its name. */
export function foldedTable(table: Table, summary: string, beside: string): Markup {
  const isOpen = table.rows.length <= MOST_OPEN_ROWS
  return html`<details${isOpen ? html` open` : undefined}><summary>${summary}<span class="unseen">: ${beside}</span></summary>
${tableMarkup(table)}</details>
`
}

/** In a box of its own, which scrolls sideways by touch and by keyboard and tells its name. */
export function tableMarkup({ id, caption, heading, rows, look }: Table): Markup {
  return html`<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table class="${look ?? ''}">
<caption><span id="${id}">${caption}</span></caption>
<thead><tr>${heading.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>
${rows.map(rowMarkup)}</tbody></table></div>
`
}

function rowMarkup([name, ...cells]: readonly (Content | Cell)[]): Markup {
  const { content, look } = cellOf(name)
  return html`<tr><th scope="row"${classOf(look)}>${content}</th>${cells.map((cell) => {
    const { content, look } = cellOf(cell)
    return html`<td${classOf(look)}>${content}</td>`
  })}</tr>
`
}

function cellOf(cell: Content | Cell): Cell {
  return typeof cell === 'object' && 'content' in cell ? cell : { content: cell }
}

function classOf(look: string | undefined): Markup | undefined {
  return look === undefined ? undefined : html` class="${look}"`
}
