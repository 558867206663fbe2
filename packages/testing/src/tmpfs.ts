import { execFileSync } from 'node:child_process'
import { eventually, makeTempDir, type TempDir } from '@procref/conformance/harness'

/**
 * Mounts a file system of `bytes` in memory on a fresh directory, to see what happens when the disk is full; unmounted and
 * removed when disposed. Only root can do that: see `isRoot()`.
 */
export function mountTmpfs({ bytes }: { readonly bytes: number }): TempDir {
  const dir = makeTempDir()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'procref-test', dir.path])
  return {
    path: dir.path,
    async [Symbol.asyncDispose]() {
      await eventually(`${dir.path} is unmounted`, () => unmount(dir.path))
      await dir[Symbol.asyncDispose]()
    },
  }
}

/** False while a process that is just ending still has a file of it open. */
function unmount(path: string): boolean {
  try {
    execFileSync('umount', [path], { stdio: ['ignore', 'ignore', 'pipe'] })
    return true
  } catch (error) {
    if (String((error as { stderr?: unknown }).stderr).includes('busy')) return false
    throw error
  }
}
