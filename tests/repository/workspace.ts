import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url))

/** What these tests read of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly files?: readonly string[]
  readonly bin?: Readonly<Record<string, string>>
}

export interface WorkspacePackage {
  /** Relative to the root, with forward slashes: `packages/core`. */
  readonly folder: string
  readonly dir: string
  readonly manifest: Manifest
}

/** Every package, published or not, by folder: `benchmarks` and those below `packages/`. */
export function packages(): readonly WorkspacePackage[] {
  const below = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
  return ['benchmarks', ...below.sort()].map((folder) => {
    const dir = join(root, folder)
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest
    return { folder, dir, manifest }
  })
}

/** Those that are published. */
export function publicPackages(): readonly WorkspacePackage[] {
  return packages().filter(({ manifest }) => manifest.private !== true)
}

/** What a package needs at run time: dependencies, optional ones and peers. */
export function runtimeDependencies(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
}
