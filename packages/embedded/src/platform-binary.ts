import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireBeside } from '@procref/core'
import { EngineUnavailableError } from './errors.ts'

const PACKAGE = '@surrealdb/node'

/** The engine's binary for this machine, and the version of SurrealDB in it. */
export interface PlatformBinary {
  readonly file: string
  readonly version: string
}

/**
 * Finds the engine's binary without loading it. Throws `EngineUnavailableError` if the package is not installed, or has none
 * for this platform.
 */
export function findPlatformBinary(platform: string = platformName()): PlatformBinary {
  const dir = packageDir()
  const file = join(dir, 'dist', `surrealdb-node.${platform}.node`)
  if (!existsSync(file)) {
    throw new EngineUnavailableError(
      `has no binary for ${platform} (${file} is missing)`,
      'Install a `surreal` executable and use surrealBinary(), or use a platform that the package is built for.',
    )
  }
  return { file, version: versionOf(dir) }
}

/** As napi-rs names its binaries. */
export function platformName(): string {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

/** The report names the C library Node itself was linked with; without network look-ups it takes a few milliseconds. */
function isMusl(): boolean {
  // Missing in the types, there since 20.13.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime === undefined
  } finally {
    report.excludeNetwork = before
  }
}

/** The package exports neither its binaries nor its package.json, so it is looked up as Node would, folder by folder. */
function packageDir(): string {
  const folders = requireBeside(import.meta.url).resolve.paths(PACKAGE) ?? []
  const found = folders.map((folder) => join(folder, PACKAGE)).find((dir) => existsSync(join(dir, 'package.json')))
  if (found !== undefined) return found
  throw new EngineUnavailableError(`is not installed (no ${PACKAGE} in ${folders[0]} or above)`, `Install ${PACKAGE}.`)
}

function versionOf(dir: string): string {
  const path = join(dir, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { surreal?: unknown }
  if (typeof manifest.surreal === 'string') return manifest.surreal
  throw new EngineUnavailableError(`does not say its version (no "surreal" in ${path})`, `Install ${PACKAGE} 3.0.3.`)
}
