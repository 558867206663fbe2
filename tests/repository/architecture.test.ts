import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { publicPackages, root, runtimeDependencies } from './workspace.ts'

const document = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

/** The arrows of the diagram below a heading, `from → to`; node ids are folder names. */
function arrowsBelow(heading: string): readonly string[] {
  const diagram = document.split(`## ${heading}\n`)[1]?.match(/```mermaid\n([\s\S]*?)```/)?.[1]
  if (diagram === undefined) throw new Error(`docs/architecture.md has no diagram below "${heading}"`)
  return [...diagram.matchAll(/^\s*(\w+)(?:\[.*?\])?\s+(?:-->|-\.->)(?:\|.*?\|)?\s+(\w+)/gm)]
    .map(([, from, to]) => `${from} → ${to}`)
    .sort()
}

const folders = new Map(
  publicPackages().map(({ manifest, folder }) => [manifest.name, folder.replace('packages/', '')]),
)

function arrowsOfManifests(): readonly string[] {
  return publicPackages()
    .flatMap(({ manifest }) =>
      Object.keys(runtimeDependencies(manifest)).flatMap((name) => {
        const to = folders.get(name)
        return to === undefined ? [] : [`${folders.get(manifest.name)} → ${to}`]
      }),
    )
    .sort()
}

test('the diagram of packages shows exactly the dependencies in the manifests', () => {
  expect(arrowsBelow('Packages')).toEqual(arrowsOfManifests())
})

test('no dependency between packages points back', () => {
  const rest = new Map<string, Set<string>>([...folders.values()].map((folder) => [folder, new Set()]))
  for (const arrow of arrowsOfManifests()) {
    const [from = '', to = ''] = arrow.split(' → ')
    rest.get(from)?.add(to)
  }
  // Take away whatever depends on nothing that is left, until nothing is left; a cycle would stay.
  for (let round = rest.size; round > 0; round--) {
    for (const [folder, needs] of rest) if ([...needs].every((need) => !rest.has(need))) rest.delete(folder)
  }
  expect([...rest.keys()]).toEqual([])
})

test('a backend depends on no other part of the lifecycle, and the lifecycle on no backend', () => {
  const arrows = arrowsOfManifests()
  expect(arrows).not.toContain('flock → lifecycle')
  expect(arrows).not.toContain('lifecycle → flock')
  expect(arrows).not.toContain('lifecycle → embedded')
})
