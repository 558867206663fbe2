/**
 * The colours of a chart by what they mean. The library wants real colours, a page that follows the reader's theme wants CSS variables:
 * a chart is drawn with one stand-in a meaning, which `inked` then replaces by the variable.
 */
export const INKS = [
  'text',
  'muted',
  'faint',
  'ghost',
  'paper',
  'procref',
  'floor',
  'library',
  'service',
  'program',
  'other',
] as const

export type Ink = (typeof INKS)[number]

export function stand(ink: Ink): string {
  return `#fe00${(INKS.indexOf(ink) + 16).toString(16)}`
}

export function inked(svg: string): string {
  return svg.replace(/"#fe00([0-9a-f]{2})"/g, (whole, index: string) => {
    const ink = INKS[Number.parseInt(index, 16) - 16]
    return ink === undefined ? whole : `"var(--${ink})"`
  })
}
