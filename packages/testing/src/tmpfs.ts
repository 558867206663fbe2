import { execFileSync } from 'node:child_process'
import { makeTempDir, type TempDir } from '@procref/conformance/harness'
import { unmount } from './unmount.ts'

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
      await unmount(dir.path)
      await dir[Symbol.asyncDispose]()
    },
  }
}
