import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `sysv.json` of the pool in `dir` says. */
export interface SetRecord {
  readonly id: number
  readonly slots: number
  readonly magic: string
  readonly bootId: string
  readonly ipcNamespace: string
}

export function recordOf(dir: string): SetRecord {
  return JSON.parse(readFileSync(join(dir, 'sysv.json'), 'utf8')) as SetRecord
}
