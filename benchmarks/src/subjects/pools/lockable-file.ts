import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An empty file in `dir`, for a lock that has to be one of something that exists. */
export function lockableFile(dir: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, 'resource')
  writeFileSync(file, '', { flag: 'a', mode: 0o600 })
  return file
}
