import { defaultDirectory, type Layout, layout } from '@procref/lifecycle'

/** Which directory, and what makes its slots. */
export interface PlaceOptions {
  readonly dir?: string
  readonly backend?: string
}

/** The files of the directory that is meant; makes nothing. */
export function resolvePlace(options: PlaceOptions): Layout {
  return layout(options.dir ?? defaultDirectory())
}
