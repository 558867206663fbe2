import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { eventually } from '@procref/conformance/harness'
import type { Undo } from './undo.ts'
import { unmount } from './unmount.ts'

/** A file of `bytes`, nearly all of it a hole, with an empty ext4 in it. `options` are mkfs.ext4's. */
export function makeImage(path: string, bytes: number, options: readonly string[] = []): void {
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  truncateSync(path, bytes)
  // Blocks as on a large drive, and all tables written now: what the kernel would do later on its own disturbs who measures.
  run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-N', '8192', '-E', 'lazy_itable_init=0', ...options, path])
}

/** A loop device over a file, or over another block device; detached by `undo`. */
export function attachLoop(backing: string, undo: Undo): string {
  const device = run('losetup', ['--find', '--show', '--direct-io=off', backing]).trim()
  undo.push(async () => {
    run('losetup', ['--detach', device])
    // Detached once nobody has it open any more, which may be a program that looks at every new device.
    await eventually(`${device} is detached`, () => backingOf(device) !== backing)
  })
  if (readFileSync(`/sys/block/${basename(device)}/loop/dio`, 'utf8').trim() !== '0') {
    throw new Error(`${device} passes by the page cache of ${backing}`)
  }
  return device
}

/** Mounts the ext4 on a block device, as the kernel mounts by default, on the new directory `path`; unmounted by `undo`. */
export function mountDevice(device: string, path: string, undo: Undo): void {
  mountExt4(device, path, [], undo)
}

/** As `mountDevice`, of a file: its loop device comes and goes with the mount. */
export function mountImage(image: string, path: string, undo: Undo): void {
  mountExt4(image, path, ['-o', 'loop'], undo)
}

function mountExt4(source: string, path: string, options: readonly string[], undo: Undo): void {
  mkdirSync(path, { mode: 0o700 })
  run('mount', ['-t', 'ext4', ...options, source, path])
  undo.push(() => unmount(path))
}

function backingOf(device: string): string | undefined {
  const path = `/sys/block/${basename(device)}/loop/backing_file`
  try {
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
  } catch (error) {
    // Detached since it was looked for.
    if (['ENOENT', 'ENXIO', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** What it says on standard error is in the message of the error. */
function run(file: string, args: readonly string[]): string {
  return execFileSync(file, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
