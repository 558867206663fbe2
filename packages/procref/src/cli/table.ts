import { stripVTControlCharacters } from 'node:util'

/** Lines with aligned columns; the last column is not padded, so that nothing ends in blanks. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A label comes from another program: what it says must not move the cursor or change the colours of this terminal. */
export function harmless(text: string): string {
  return Array.from(stripVTControlCharacters(text), (c) => (isControl(c) ? ' ' : c)).join('')
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - widthOf(cell))
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return code < 0x20 || (code >= 0x7f && code < 0xa0)
}
