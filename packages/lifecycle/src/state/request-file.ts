import { lstatSync, renameSync } from 'node:fs'
import { errnoOf } from '@procref/core'
import { removeFile, replaceFile } from './atomic-file.ts'
import { isNonce, newNonce } from './nonce.ts'
import { parseJson, readSmallFile, type SmallFile } from './small-file.ts'

/** What the command line asks of the guardian. */
export type GuardianRequest = StopRequest | RestartRequest

interface Asked {
  /** The guardian that is asked: another one ignores it. */
  readonly nonce: string
  /** The pid of who asks, for the journal. */
  readonly by: number
  /** ISO 8601. */
  readonly at: string
}

export interface StopRequest extends Asked {
  readonly kind: 'stop'
  /** Stop although slots are held. */
  readonly force: boolean
}

/** Make way for another guardian. Heard from `RESTART_PROTOCOL` on; guardians before it remove it and go on. */
export interface RestartRequest extends Asked {
  readonly kind: 'restart'
}

/** Puts the request where the guardian finds it, replacing one that it has not seen yet. */
export function writeRequest(path: string, request: GuardianRequest): void {
  replaceFile(path, `${JSON.stringify(request)}\n`, newNonce())
}

/**
 * The request at `path` to the guardian with this nonce, removed. A request to another guardian, and what is not a
 * request, is removed and `undefined`.
 *
 * Guarantee: each request is taken once, and one that arrives meanwhile stays for the next call. When it throws, the system's error, the
 * request is taken by a later call. A directory is left where it is.
 */
export function takeRequest(path: string, nonce: string): GuardianRequest | undefined {
  // Renamed before it is read: between a read and an unlink the next request could arrive, and go unread.
  const taken = `${path}.${nonce}.taken`
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined
  try {
    renameSync(path, taken)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  // There also where no new one was: one that could not be read the last time.
  const file = readTaken(taken)
  if (file.kind === 'missing') return undefined
  removeFile(taken)
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  return isRequest(value) && value.nonce === nonce ? value : undefined
}

/** What is no request of ours goes; what the system could not read this time stays. */
function readTaken(taken: string): SmallFile {
  try {
    return readSmallFile(taken)
  } catch (error) {
    if (errnoOf(error) === undefined) removeFile(taken)
    throw error
  }
}

/**
 * Takes back what `writeRequest` wrote, unless the guardian has taken it or another request has replaced it. True: the guardian will
 * not act on it.
 */
export function withdrawRequest(path: string, request: GuardianRequest): boolean {
  const there = readRequest(path)
  if (there === undefined || there === 'damaged') return false
  if (there.by !== request.by || there.at !== request.at || there.nonce !== request.nonce) return false
  return takeRequest(path, request.nonce) !== undefined
}

/** The request at `path`, left there. `undefined`: none. `damaged`: something that is none, or is not a file. */
export function readRequest(path: string): GuardianRequest | 'damaged' | undefined {
  const file = readSmallFile(path)
  if (file.kind === 'missing') return undefined
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  return isRequest(value) ? value : 'damaged'
}

function isRequest(value: unknown): value is GuardianRequest {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  const asks = v.kind === 'restart' || (v.kind === 'stop' && typeof v.force === 'boolean')
  return asks && isNonce(v.nonce) && Number.isInteger(v.by) && typeof v.at === 'string'
}
