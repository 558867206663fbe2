import { execFileSync } from 'node:child_process'
import { makeTempDir, type TempDir } from '@procref/conformance/harness'
import { unmount } from './unmount.ts'

/**
 * Mounts a file system of `bytes`, and with room for so many `files`, in memory on a fresh directory, to see what happens when the disk
 * is full; unmounted and removed when disposed. Only root can do that: see `isRoot()`.
 */
export function mountTmpfs({ bytes, files }: { readonly bytes: number; readonly files?: number }): TempDir {
  const dir = makeTempDir()
  const inodes = files === undefined ? '' : `,nr_inodes=${files}`
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700${inodes}`, 'procref-test', dir.path])
  return {
    path: dir.path,
    async [Symbol.asyncDispose]() {
      await unmount(dir.path)
      await dir[Symbol.asyncDispose]()
    },
  }
}
