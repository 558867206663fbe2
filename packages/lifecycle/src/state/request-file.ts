import { renameSync } from 'node:fs'
import { removeFile, replaceFile } from './atomic-file.ts'
import { isNonce, newNonce } from './nonce.ts'
import { parseJson, readSmallFile } from './small-file.ts'

/** What the command line asks of the guardian. */
export interface StopRequest {
  readonly kind: 'stop'
  /** The guardian that is asked: another one ignores it. */
  readonly nonce: string
  /** Stop although slots are held. */
  readonly force: boolean
  /** The pid of who asks, for the journal. */
  readonly by: number
  /** ISO 8601. */
  readonly at: string
}

/** Puts the request where the guardian finds it, replacing one that it has not seen yet. */
export function writeRequest(path: string, request: StopRequest): void {
  replaceFile(path, `${JSON.stringify(request)}\n`, newNonce())
}

/**
 * The request at `path` to the guardian with this nonce, removed. A request to another guardian, and what is not a
 * request, is removed and `undefined`.
 *
 * Guarantee: each request is taken once, and one that arrives meanwhile stays for the next call.
 */
export function takeRequest(path: string, nonce: string): StopRequest | undefined {
  // Renamed before it is read: between a read and an unlink the next request could arrive, and go unread.
  const taken = `${path}.${nonce}.taken`
  try {
    renameSync(path, taken)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const file = readSmallFile(taken)
    const value = file.kind === 'text' ? parseJson(file.text) : undefined
    return isStopRequest(value) && value.nonce === nonce ? value : undefined
  } finally {
    removeFile(taken)
  }
}

/** The request at `path`, left there. `undefined`: none. `damaged`: something that is none, or is not a file. */
export function readRequest(path: string): StopRequest | 'damaged' | undefined {
  const file = readSmallFile(path)
  if (file.kind === 'missing') return undefined
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  return isStopRequest(value) ? value : 'damaged'
}

function isStopRequest(value: unknown): value is StopRequest {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  return (
    v.kind === 'stop' &&
    isNonce(v.nonce) &&
    typeof v.force === 'boolean' &&
    Number.isInteger(v.by) &&
    typeof v.at === 'string'
  )
}
