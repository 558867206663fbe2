import { defaultDirectory, type Layout, layout } from '@procref/lifecycle'

/** Which directory, and what makes its slots, as the command line says it. */
export interface PlaceOptions {
  readonly dir?: string
  readonly backend?: string
}

/** The files of the directory that is meant; makes nothing. */
export function resolvePlace(dir: string | undefined): Layout {
  return layout(dir ?? defaultDirectory())
}
