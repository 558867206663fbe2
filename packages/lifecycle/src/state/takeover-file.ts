import { replaceFileDurably } from './atomic-file.ts'
import { newNonce } from './nonce.ts'
import { isPlainText } from './plain-text.ts'
import { parseJson, readSmallFile } from './small-file.ts'

/** What was taken over into this directory; stands beside the data until the old folder is dealt with. */
export interface Takeover {
  /** Where the database was: absolute, without symbolic links. */
  readonly folder: string
  /** Which folder that is: another one of this name may come. */
  readonly dev: string
  readonly ino: string
  /** Of its files when they were taken over. */
  readonly state: string
  readonly storage: 'rocksdb' | 'surrealkv'
  readonly files: number
  readonly bytes: number
  /** `null`: no version that records itself. */
  readonly writtenBy: string | null
  readonly original: 'remove' | 'keep'
}

/** `undefined`: no take-over is unfinished here, or what stands there cannot be understood; then the old folder is left to people. */
export function readTakeover(path: string): Takeover | undefined {
  const file = readSmallFile(path)
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  return isTakeover(value) ? value : undefined
}

export function writeTakeover(path: string, takeover: Takeover): void {
  replaceFileDurably(path, `${JSON.stringify(takeover, null, 2)}\n`, newNonce())
}

function isTakeover(value: unknown): value is Takeover {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  return (
    [v.folder, v.dev, v.ino, v.state].every(isPlainText) &&
    (v.storage === 'rocksdb' || v.storage === 'surrealkv') &&
    [v.files, v.bytes].every(Number.isSafeInteger) &&
    (v.writtenBy === null || isPlainText(v.writtenBy)) &&
    (v.original === 'remove' || v.original === 'keep')
  )
}
