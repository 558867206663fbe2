import type { Results } from '../results.ts'
import type { Ink } from './charts/ink.ts'
import { html, type Markup } from './html.ts'

/** How subjects of one kind look in every chart: told apart by the shape alone, the colour only helps. */
export interface KindLook {
  readonly title: string
  readonly ink: Ink
  readonly symbol: Symbol
}

export type Symbol = 'circle' | 'square' | 'triangle' | 'diamond' | 'down' | 'cross'

const LOOKS: Readonly<Record<string, KindLook>> = {
  procref: { title: 'procref', ink: 'procref', symbol: 'circle' },
  floor: { title: 'floor: the same system calls in C', ink: 'floor', symbol: 'square' },
  library: { title: 'library', ink: 'library', symbol: 'triangle' },
  service: { title: 'service', ink: 'service', symbol: 'diamond' },
  program: { title: 'program', ink: 'program', symbol: 'down' },
  'in-process': { title: 'within one process only', ink: 'other', symbol: 'cross' },
}

const OTHER: KindLook = { title: 'a server, or another part of the whole', ink: 'other', symbol: 'cross' }

export function lookOf(results: Results, subject: string): KindLook {
  return LOOKS[results.subjects.find(({ name }) => name === subject)?.kind ?? ''] ?? OTHER
}

/** As SVG path data. */
export function symbolPath(symbol: Symbol, x: number, y: number, r: number): string {
  const points = (...all: readonly (readonly [number, number])[]): string =>
    `M${all.map(([dx, dy]) => `${round(x + dx * r)} ${round(y + dy * r)}`).join('L')}Z`
  switch (symbol) {
    case 'circle':
      return `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`
    case 'square':
      return points([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9])
    case 'triangle':
      return points([0, -1.1], [1.1, 0.9], [-1.1, 0.9])
    case 'down':
      return points([0, 1.1], [1.1, -0.9], [-1.1, -0.9])
    case 'diamond':
      return points([0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0])
    case 'cross':
      return points(
        ...([
          [-0.4, -1.1],
          [0.4, -1.1],
          [0.4, -0.4],
          [1.1, -0.4],
          [1.1, 0.4],
          [0.4, 0.4],
        ] as const),
        ...([
          [0.4, 1.1],
          [-0.4, 1.1],
          [-0.4, 0.4],
          [-1.1, 0.4],
          [-1.1, -0.4],
          [-0.4, -0.4],
        ] as const),
      )
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** The kinds that this run has, each with its symbol. */
export function kindLegend(results: Results): Markup {
  const measured = results.scenarios.flatMap(({ series }) => series.map(({ subject }) => subject))
  const looks = [...new Set(measured.map((subject) => lookOf(results, subject)))]
  return html`<ul class="legend">${looks.map(
    ({ title, ink, symbol }) =>
      html`<li><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${symbolPath(symbol, 8, 8, 6)}" fill="var(--${ink})"/></svg>${title}</li>`,
  )}</ul>`
}
