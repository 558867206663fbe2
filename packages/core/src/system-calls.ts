import type { BigIntStats } from 'node:fs'
import fs from 'node:fs'
import { dirname } from 'node:path'

/**
 * Every system call of the slot-file protocol, as a table, so that tests can make one of them fail. Synchronous on purpose:
 * each takes about a microsecond, a hundred times less than a round trip through libuv's thread pool.
 */
export interface SystemCalls {
  /** libuv adds `O_CLOEXEC` to every open, so no child inherits a descriptor that was not handed to it. */
  open(path: string, flags: number, mode?: number): number
  close(fd: number): void
  fstat(fd: number): BigIntStats
  /** `undefined`: nothing there. */
  stat(path: string): BigIntStats | undefined
  /** `undefined`: nothing there. */
  lstat(path: string): BigIntStats | undefined
  /** Reads at `position`; returns how many bytes there were. */
  pread(fd: number, buffer: Uint8Array, position: number): number
  pwrite(fd: number, buffer: Uint8Array, position: number): number
  fsync(fd: number): void
  /** Makes `path` and its missing parents, each with `mode`; an existing directory is no error. */
  mkdirs(path: string, mode: number): void
  readdir(path: string): string[]
  link(existing: string, path: string): void
  unlink(path: string): void
  rename(path: string, to: string): void
  /** `target` is not looked at: it may lead nowhere. */
  symlink(target: string, path: string): void
  readlink(path: string): string
  /** What was made, renamed and removed in the directory is on disk afterwards. */
  syncDirectory(path: string): void
  /** The file system's type, on Linux its magic number. */
  statfsType(path: string): bigint
}

// Bigint: inode numbers of overlayfs and XFS do not fit into a double, and two that round alike would pass for one file.
const BIGINT = { bigint: true } as const
const BIGINT_OR_UNDEFINED = { bigint: true, throwIfNoEntry: false } as const

export const systemCalls: SystemCalls = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => fs.closeSync(fd),
  fstat: (fd) => fs.fstatSync(fd, BIGINT),
  stat: (path) => fs.statSync(path, BIGINT_OR_UNDEFINED),
  lstat: (path) => fs.lstatSync(path, BIGINT_OR_UNDEFINED),
  pread: (fd, buffer, position) => fs.readSync(fd, buffer, 0, buffer.length, position),
  pwrite: (fd, buffer, position) => fs.writeSync(fd, buffer, 0, buffer.length, position),
  fsync: (fd) => fs.fsyncSync(fd),
  mkdirs,
  readdir: (path) => fs.readdirSync(path),
  link: (existing, path) => fs.linkSync(existing, path),
  unlink: (path) => fs.unlinkSync(path),
  rename: (path, to) => fs.renameSync(path, to),
  symlink: (target, path) => fs.symlinkSync(target, path),
  readlink: (path) => fs.readlinkSync(path),
  syncDirectory,
  statfsType: (path) => fs.statfsSync(path, BIGINT).type,
}

/** Not `mkdirSync`'s own `recursive`: where a file system is read-only that says ENOENT, which sends people the wrong way. */
function mkdirs(path: string, mode: number): void {
  try {
    mkdirUnlessThere(path, mode)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    mkdirs(parent, mode)
    mkdirUnlessThere(path, mode)
  }
}

function mkdirUnlessThere(path: string, mode: number): void {
  try {
    fs.mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !fs.statSync(path).isDirectory()) throw error
  }
}

function syncDirectory(path: string): void {
  // Windows opens no directories.
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, fs.constants.O_RDONLY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
