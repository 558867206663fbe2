import { isAbsolute } from 'node:path'
import { parseReference, type Store } from '@procref/example-gsc'
import type { ChangedFile } from './git-diff.ts'
import { type Link, linksOf } from './links.ts'
import { listSpecs, type Spec } from './specs.ts'

/** A specification that a change may have made untrue, and by which links. */
export interface Touched {
  readonly spec: Spec
  readonly links: readonly (Link & { readonly why: string })[]
}

const WHY_OF_STATE: Readonly<Partial<Record<Link['state'], string>>> = {
  stale: 'changed since it was reviewed',
  missing: 'no longer there',
  ambiguous: 'several symbols have this name: link one of them by "path#name"',
  unreviewed: 'appeared since it was linked, and was not reviewed yet',
}

/** By what changed in the index since the links were reviewed. */
export async function touchedByIndex(store: Store): Promise<readonly Touched[]> {
  return await touched(store, ({ state }) => WHY_OF_STATE[state])
}

/** By files: absolute paths, or ends of paths. */
export async function touchedByFiles(store: Store, files: readonly string[]): Promise<readonly Touched[]> {
  const asked = files.map((file) => file.replaceAll('\\', '/').replace(/^\.\//, ''))
  return await touched(store, (link) => {
    const path = pathOf(link)
    const file = path && asked.find((file) => path === file || path.endsWith(isAbsolute(file) ? file : `/${file}`))
    return file && `is in ${file}`
  })
}

/** By the lines that a change touched. The lines are those of the index if that was made from the files after the change. */
export async function touchedByDiff(store: Store, files: readonly ChangedFile[]): Promise<readonly Touched[]> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  return await touched(store, (link) => {
    const file = byPath.get(pathOf(link) ?? '') ?? files.find(({ path, deleted }) => deleted && wasIn(link, path))
    if (file === undefined) return undefined
    if (file.deleted) return 'its file was deleted'
    const lines = link.resolved?.definitions.flatMap(({ line, endLine }) =>
      file.parts.filter(([first, last]) => first <= endLine && last >= line).map(([first, last]) => `${first}-${last}`),
    )
    return lines === undefined || lines.length === 0 ? undefined : `changed in lines ${lines.join(', ')}`
  })
}

/** Retired specifications are touched by nothing. */
async function touched(store: Store, why: (link: Link) => string | undefined): Promise<readonly Touched[]> {
  const specs = new Map((await listSpecs(store, undefined)).map((spec) => [spec.id, spec]))
  const links = new Map<string, (Link & { why: string })[]>()
  for (const link of await linksOf(store)) {
    const reason = why(link)
    if (reason !== undefined) links.set(link.spec, [...(links.get(link.spec) ?? []), { ...link, why: reason }])
  }
  return [...links].flatMap(([id, links]) => {
    const spec = specs.get(id)
    return spec === undefined || spec.status === 'retired' ? [] : [{ spec, links }]
  })
}

function pathOf({ resolved }: Link): string | undefined {
  return resolved && `${resolved.root}/${resolved.path}`
}

/** A symbol that is gone is known only by the path it was linked with, if any. */
function wasIn({ symbol, resolved }: Link, path: string): boolean {
  const asked = parseReference(symbol).path
  return resolved === undefined && asked !== undefined && path.endsWith(asked.startsWith('/') ? asked : `/${asked}`)
}
