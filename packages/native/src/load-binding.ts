import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BackendUnavailableError, installedModule, loadTrouble, ownFile, requireBeside } from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { isPublishedPlatform, platformName } from './platform.ts'

let loaded: NativeBinding | undefined

/**
 * Loads the Rust part, once: the file beside package.json that a checkout builds, or beside a bundle that this code is part of; else the
 * package for this platform. Throws `BackendUnavailableError`, which says what to install, where there is neither or it cannot be loaded;
 * `FileAccessError` where that is for want of a descriptor or of memory.
 */
export function loadBinding(backend: string): NativeBinding {
  loaded ??= load(backend)
  return loaded
}

/**
 * Is there native code for this platform, and can it be loaded? What is wrong is said by the first use of a backend. Throws as `loadBinding`
 * where the system does not let it be told.
 */
export function isNativeCodeHere(): boolean {
  try {
    loadBinding('native')
    return true
  } catch (error) {
    if (error instanceof BackendUnavailableError) return false
    throw error
  }
}

/**
 * The path of the file with the native code for this platform, for programs that bundle others: it belongs beside the bundle, under the name
 * it has. Throws as `loadBinding`.
 */
export function nativeCodeFile(): string {
  const { platform, from, require } = whereabouts()
  try {
    return require.resolve(from)
  } catch (error) {
    throw unavailable('native', platform, from, error)
  }
}

function load(backend: string): NativeBinding {
  const { platform, from, require } = whereabouts()
  try {
    return require(from) as NativeBinding
  } catch (error) {
    throw loadTrouble(error, from) ?? unavailable(backend, platform, from, error)
  }
}

interface Whereabouts {
  readonly platform: string
  /** What to require: a path or a package. */
  readonly from: string
  readonly require: NodeJS.Require
}

function whereabouts(): Whereabouts {
  const platform = platformName()
  const own = ownFile(import.meta.url)
  const file = `procref-native.${platform}.node`
  const beside = fileURLToPath(installedModule('@procref/native', own, `../${file}`) ?? new URL(`./${file}`, own))
  return { platform, from: existsSync(beside) ? beside : `@procref/native-${platform}`, require: requireBeside(own) }
}

const ALTERNATIVES =
  'Or use a backend that needs no Rust: flock() of @procref/flock (compiled on installation), lockfile() of @procref/lockfile (no native code).'

function unavailable(backend: string, platform: string, from: string, error: unknown): BackendUnavailableError {
  const name = `@procref/native-${platform}`
  if (from === name && isSourceCheckout()) {
    const remedy = `Run \`npx pnpm@12 build:native\`, which needs Rust (cargo). ${ALTERNATIVES}`
    return new BackendUnavailableError(backend, 'its native code was not built in this checkout', remedy, error)
  }
  if (from !== name || !isNotFound(error, name)) {
    const reason = error instanceof Error ? error.message : String(error)
    return new BackendUnavailableError(
      backend,
      `its native code (${from}) cannot be loaded: ${reason}`,
      `Install @procref/native and ${name} again, both in the same version. ${ALTERNATIVES}`,
      error,
    )
  }
  if (isPublishedPlatform(platform)) {
    if (installedModule('@procref/native', ownFile(import.meta.url), '.') === undefined) {
      const remedy =
        `Copy procref-native.${platform}.node of ${name} beside the bundle, or keep @procref/native out of it and installed. ` +
        ALTERNATIVES
      return new BackendUnavailableError(backend, `its native code is not beside the bundle`, remedy, error)
    }
    const remedy =
      `Install ${name} in the version of @procref/native; package managers do so by themselves unless optional ` +
      `dependencies are left out (npm: \`--omit=optional\`). ${ALTERNATIVES}`
    return new BackendUnavailableError(
      backend,
      `the package ${name} with its native code is not installed`,
      remedy,
      error,
    )
  }
  return new BackendUnavailableError(backend, `there is no native code for ${platform}`, ALTERNATIVES, error)
}

function isNotFound(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'MODULE_NOT_FOUND' && message.includes(name)
}

/** The sources of the native code are not published. */
function isSourceCheckout(): boolean {
  const manifest = installedModule('@procref/native', ownFile(import.meta.url), '../Cargo.toml')
  return manifest !== undefined && existsSync(new URL(manifest))
}
