import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { nonceOfAliveFile } from '../guardian/election.ts'
import { nonceOfTemporary } from './atomic-file.ts'
import type { Layout } from './layout.ts'

/** A file that carries the nonce of whoever made it. */
export interface NonceFile {
  readonly path: string
  readonly nonce: string
  /** By the wall clock; 0 for one from the future. */
  readonly ageMs: number
}

export interface NonceFiles {
  readonly alive: readonly NonceFile[]
  /** Temporary and spare files of atomic writes in the root; those beside the data are nobody's but the next guardian's. */
  readonly temporary: readonly NonceFile[]
}

/** What guardians, and writers that died, may have left. Whether somebody still uses one is told by the alive lock of its nonce. */
export function listNonceFiles(layout: Layout): NonceFiles {
  const names = readdirSync(layout.root)
  const collect = (nonceOf: (name: string) => string | undefined): readonly NonceFile[] =>
    names.flatMap((name) => {
      const nonce = nonceOf(name)
      const path = join(layout.root, name)
      const stat = nonce === undefined ? undefined : lstatSync(path, { throwIfNoEntry: false })
      if (nonce === undefined || stat?.isFile() !== true) return []
      return [{ path, nonce, ageMs: Math.max(0, Date.now() - stat.mtimeMs) }]
    })
  return { alive: collect(nonceOfAliveFile), temporary: collect(nonceOfTemporary) }
}
