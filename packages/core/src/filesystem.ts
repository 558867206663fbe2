import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { type FilesystemType, linuxFilesystem, namedFilesystem } from './filesystem-types.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** The directory is on a file system that is not known to keep locks between all processes that see it. */
export class UnsupportedFilesystemError extends ProcrefError {
  readonly path: string
  readonly filesystem: string
  constructor(path: string, filesystem: string, problem: string) {
    super('PROCREF_UNSUPPORTED_FILESYSTEM', `${path} is on ${filesystem}, ${problem}.`)
    this.path = path
    this.filesystem = filesystem
  }
}

export interface FilesystemOptions {
  readonly system?: SystemCalls
  readonly platform?: NodeJS.Platform
  /** The output of mount(8), for platforms without stable type numbers. Default: runs it. */
  readonly mounts?: () => Promise<string>
}

/**
 * The file system that `path` is on, or would be on once it is made.
 *
 * How it is decided: on Linux by the type number of statfs(2); on macOS and the BSDs, whose numbers differ between releases,
 * by the name in the list that mount(8) prints; on Windows only network paths (`\\server\share`) are recognised.
 */
export async function filesystemOf(path: string, options: FilesystemOptions = {}): Promise<FilesystemType> {
  const system = options.system ?? systemCalls
  const existing = nearestExisting(resolve(path), system)
  switch (options.platform ?? process.platform) {
    case 'linux':
    case 'android':
      return linuxFilesystem(statfs(existing, system))
    case 'win32':
      return /^\\\\(?![.?]\\)/.test(existing)
        ? { name: 'a network share', kind: 'network' }
        : { name: 'a drive', kind: 'unknown' }
    default:
      return namedFilesystem(mountedType(await (options.mounts ?? listMounts)(), realpathSync(existing)))
  }
}

/**
 * Refuses network and pass-through file systems: locks there do not reach every process that sees the files.
 * An unknown type passes; whoever keeps locks there tests the medium first (`testMedium`).
 */
export async function checkFilesystem(path: string, options: FilesystemOptions = {}): Promise<FilesystemType> {
  const type = await filesystemOf(path, options)
  if (type.kind === 'network' || type.kind === 'pass-through') {
    const problem = `a ${type.kind} file system, on which locks do not reach everybody who sees the files`
    const remedy = '. Choose a directory on a local disk, or take the risk with `allowUnsafeFilesystem`'
    throw new UnsupportedFilesystemError(path, type.name, problem + remedy)
  }
  return type
}

/** Is `path` kept in memory only, so that a restart of the machine loses it? */
export async function isMemoryFilesystem(path: string, options: FilesystemOptions = {}): Promise<boolean> {
  return (await filesystemOf(path, options)).kind === 'memory'
}

/**
 * The type, in the output of mount(8) as macOS and the BSDs print it, of the mount that contains `path`:
 * `/dev/disk3s1 on /System/Volumes/Data (apfs, local, journaled)`.
 */
export function mountedType(mounts: string, path: string): string {
  let best = { point: '', type: 'a file system that mount(8) does not list' }
  for (const line of mounts.split('\n')) {
    const [, point, type] = / on (\/.*) \(([^,)]+)[^()]*\)$/.exec(line.trimEnd()) ?? []
    if (point === undefined || type === undefined || point.length < best.point.length) continue
    const inside = path === point || path.startsWith(point === '/' ? '/' : `${point}/`)
    if (inside) best = { point, type }
  }
  return best.type
}

async function listMounts(): Promise<string> {
  const { stdout } = await promisify(execFile)('/sbin/mount', { encoding: 'utf8', timeout: 10_000 })
  return stdout
}

/** `path`, or the first of the directories above it that there is. */
export function nearestExisting(path: string, system: SystemCalls): string {
  for (let at = path; ; at = dirname(at)) {
    if (dirname(at) === at || exists(at, system)) return at
  }
}

function exists(path: string, system: SystemCalls): boolean {
  try {
    return system.stat(path) !== undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false
    throw translateErrno(error, 'look at', path)
  }
}

function statfs(path: string, system: SystemCalls): bigint {
  try {
    return system.statfsType(path)
  } catch (error) {
    throw translateErrno(error, 'ask for the file system of', path)
  }
}
