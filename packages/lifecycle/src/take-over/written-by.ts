import { isNewer } from '../version-order.ts'

/** Which version of SurrealDB had the data open last. */
export type WrittenBy =
  | { readonly kind: 'version'; readonly version: string }
  /** A version that does not record itself: older than `before`. */
  | { readonly kind: 'before'; readonly before: string }
  /** The server that was asked does not tell. */
  | { readonly kind: 'unknown' }

/** From here on SurrealDB keeps in the data which version has opened them, and says at its start what it found. */
const RECORDED_FROM = '3.3.0'

const FIRST = /\bDatastore version recorded\b/
const OLDER = /\bDatastore version advanced\b/
const NEWER = /\blast written by a newer version of SurrealDB\b/

/**
 * Reads it from what a server of the version `running` has written into its log when it opened the data. It says nothing where its own version had
 * them last; that this silence means something is known from `control`, what the same server has written when it made a new database: of
 * that it must say that it recorded its version.
 */
export function writtenBy(log: string, control: string, running: string): WrittenBy {
  if (!FIRST.test(control)) return { kind: 'unknown' }
  const lines = log.split('\n')
  const newer = fieldIn(lines, NEWER, 'stored')
  if (newer !== undefined) return { kind: 'version', version: newer }
  const older = fieldIn(lines, OLDER, 'from')
  if (older !== undefined) return { kind: 'version', version: older }
  if (lines.some((line) => FIRST.test(line))) return { kind: 'before', before: RECORDED_FROM }
  return { kind: 'version', version: running }
}

/** A version that does not record itself, nor tell what is recorded. */
export function isUnrecorded(version: string): boolean {
  return isNewer(RECORDED_FROM, version)
}

function fieldIn(lines: readonly string[], said: RegExp, field: string): string | undefined {
  const line = lines.find((candidate) => said.test(candidate))
  return line === undefined ? undefined : new RegExp(`\\b${field}="?([\\w.+-]+)`).exec(line)?.[1]
}
