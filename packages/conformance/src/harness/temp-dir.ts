import { chmodSync, mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/**
 * A fresh directory of our own (0700, or `mode`), removed with all its contents when disposed. Its path has no symbolic
 * link in it, so it compares equal to what the kernel reports.
 */
export function makeTempDir({ mode = 0o700 }: { readonly mode?: number } = {}): TempDir {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'procref-test-'))
  chmodSync(path, mode)
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A child that is just ending can still make a file while the tree is being removed.
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    },
  }
}
