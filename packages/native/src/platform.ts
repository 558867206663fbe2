/** Those for which a package `@procref/native-…` is published; the same as `napi.targets` in package.json, which a test compares. */
export const PUBLISHED_PLATFORMS: ReadonlySet<string> = new Set([
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
])

export function isPublishedPlatform(name: string): boolean {
  return PUBLISHED_PLATFORMS.has(name)
}

/** This process's platform, in the words that napi-rs uses for files and packages: `linux-x64-gnu`, `darwin-arm64`. */
export function platformName(): string {
  const name = `${process.platform}-${process.arch}`
  switch (process.platform) {
    case 'linux':
      return `${name}-${isMusl() ? 'musl' : 'gnu'}`
    case 'win32':
      return `${name}-msvc`
    default:
      return name
  }
}

/** Can the native code tell processes apart here? */
export function hasProcessTable(): boolean {
  return process.platform === 'linux'
}

/** Can a child be given a lock's descriptor, and with it the lock? A lock of Windows belongs to its process. */
export function isInheritedByChildren(): boolean {
  return process.platform !== 'win32'
}

/** What the native code locks files with, in the words of `FileLocker.kind`. */
export function lockKind(): string {
  return process.platform === 'win32' ? 'LockFileEx' : 'flock'
}

/** Node's own report names the version of glibc that it runs on, and none where it runs on musl. */
function isMusl(): boolean {
  // `excludeNetwork` came in Node 20.13, after these types: without it the report first looks up every open socket's peer.
  const report: typeof process.report & { excludeNetwork?: boolean } = process.report
  const { excludeNetwork } = report
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime === undefined
  } finally {
    report.excludeNetwork = excludeNetwork ?? false
  }
}
