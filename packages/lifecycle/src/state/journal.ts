import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs'
import type { Json } from '@procref/core'
import { isNonce } from './nonce.ts'
import { parseJson } from './small-file.ts'

/** What happened. A closed list, stable: names are added, never reused. */
const JOURNAL_EVENTS = [
  'guardian-launched',
  'guardian-elected',
  'guardian-gave-way',
  'guardian-exited',
  'server-starting',
  'server-serving',
  'server-unresponsive',
  'server-died',
  'server-draining',
  'server-kept',
  'server-stopping',
  'server-signalled',
  'server-stopped',
  'server-failed',
  'orphan-ended',
  'connect-refused',
  'lease-healed',
  'lease-lost',
  'request-ignored',
  'write-failed',
  'probe-failed',
  'slots-moving',
  'slots-move-undone',
  'slots-moved',
  'data-deleting',
  'data-deleted',
  'data-taking-over',
  'data-taken-over',
  'data-upgrade-accepted',
] as const
type JournalEventName = (typeof JOURNAL_EVENTS)[number]

/** Why it happened. A closed list as well. */
const JOURNAL_REASONS = [
  'no-server',
  'guardian-gone',
  'another-guardian',
  'ready',
  'answers-again',
  'no-answer',
  'writes-refused',
  'server-ended',
  'told-to-die',
  'orphan-of-dead-guardian',
  'slots-empty',
  'slot-held',
  'slots-unknown',
  'clean-stop',
  'escalation',
  'request',
  'restart',
  'stale-request',
  'signal',
  'usurped',
  'directory-gone',
  'slot-lost',
  'crash-loop',
  'start-failed',
  'start-timeout',
  'server-lock-held',
  'foreign-namespace',
  'port-taken',
  'stranger-on-port',
  'config-mismatch',
  'newer-protocol',
  'newer-data',
  'older-data',
  'upgrade-needed',
  'data-engine-mismatch',
  'credentials-missing',
  'credentials-refused',
  'database-locked',
  'database-damaged',
  'driver-unusable',
  'identity-unavailable',
  'unsafe-path',
  'state-damaged',
  'permission-denied',
  'limit-reached',
  'disk-full',
  'io-error',
  'unexpected-error',
] as const
export type JournalReason = (typeof JOURNAL_REASONS)[number]

export interface JournalEvent {
  readonly event: JournalEventName
  readonly reason: JournalReason
  readonly epoch?: number
  readonly nonce?: string
  /** What was probed, what was seen. Caller: never a secret. */
  readonly evidence?: { readonly [key: string]: Json }
}

export interface JournalEntry extends JournalEvent {
  /** ISO 8601. */
  readonly at: string
  readonly pid: number
}

/** A journal that is longer is rotated by the next guardian's beat. */
export const JOURNAL_LIMIT_BYTES: number = 1 << 20
/** A longer entry loses its evidence rather than filling the journal. */
const MAX_LINE_BYTES = 16_384

/** Why each start, stop, restart and refusal happened, one JSON object a line. Every process appends, only the guardian rotates. */
export class Journal {
  readonly #path: string
  #failure: Error | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** The last `append` or `rotateIfLarge` that failed; a later success does not clear it. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Adds one line. Never throws: no decision may depend on the journal; see `failure`.
   *
   * Guarantee: lines of simultaneous writers do not mix (one write to a file opened for appending); a line torn by a full disk
   * spoils no other.
   */
  append(event: JournalEvent): void {
    this.#attempt(() => appendLine(this.#path, toLine(event)))
  }

  /** Keeps the journal below twice 1 MB, with one old file. Never throws. Caller: only the guardian. */
  rotateIfLarge(): void {
    this.#attempt(() => {
      if (sizeOf(this.#path) > JOURNAL_LIMIT_BYTES) renameSync(this.#path, oldPath(this.#path))
    })
  }

  #attempt(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
    }
  }
}

/**
 * The entries of the old and the current file, oldest first, at most the `last` ones; lines that are torn, or are not
 * entries, are left out, and so are entries with an event or reason that only a newer procref knows.
 */
export function readJournal(path: string, options: { readonly last?: number } = {}): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const file of [oldPath(path), path]) {
    for (const line of readEnd(file, 2 * JOURNAL_LIMIT_BYTES).split('\n')) {
      const value = line === '' ? undefined : parseJson(line)
      if (isEntry(value)) entries.push(value)
    }
  }
  return options.last === undefined ? entries : entries.slice(Math.max(0, entries.length - options.last))
}

function oldPath(path: string): string {
  return `${path}.old`
}

function toLine(event: JournalEvent): string {
  const { event: name, reason, epoch, nonce, evidence } = event
  const head = {
    at: new Date().toISOString(),
    pid: process.pid,
    ...(epoch === undefined ? {} : { epoch }),
    ...(nonce === undefined ? {} : { nonce }),
    event: name,
    reason,
  }
  const line = JSON.stringify(evidence === undefined ? head : { ...head, evidence })
  if (Buffer.byteLength(line) <= MAX_LINE_BYTES) return line
  return JSON.stringify({ ...head, evidence: { leftOutBytes: Buffer.byteLength(line) } })
}

function appendLine(path: string, line: string): void {
  // O_NONBLOCK: a FIFO in its place must not make us wait.
  const flags =
    constants.O_RDWR |
    constants.O_APPEND |
    constants.O_CREAT |
    (constants.O_NOFOLLOW ?? 0) |
    (constants.O_NONBLOCK ?? 0)
  const fd = openSync(path, flags, 0o600)
  try {
    // A line torn by a full disk has no end: ours must not become a part of it.
    const bytes = Buffer.from(endsInTornLine(fd) ? `\n${line}\n` : `${line}\n`)
    const written = writeSync(fd, bytes)
    if (written < bytes.length) throw new Error(`${path}: only ${written} of ${bytes.length} bytes could be appended`)
  } finally {
    closeSync(fd)
  }
}

function endsInTornLine(fd: number): boolean {
  const { size } = fstatSync(fd)
  if (size === 0) return false
  const last = Buffer.alloc(1)
  return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function readEnd(path: string, bytes: number): string {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    const from = Math.max(0, size - bytes)
    const buffer = Buffer.alloc(size - from)
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, from))
  } finally {
    closeSync(fd)
  }
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  return (
    typeof v.at === 'string' &&
    Number.isInteger(v.pid) &&
    JOURNAL_EVENTS.includes(v.event as JournalEventName) &&
    JOURNAL_REASONS.includes(v.reason as JournalReason) &&
    (v.epoch === undefined || Number.isInteger(v.epoch)) &&
    (v.nonce === undefined || isNonce(v.nonce)) &&
    (v.evidence === undefined || (typeof v.evidence === 'object' && v.evidence !== null))
  )
}
