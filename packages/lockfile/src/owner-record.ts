import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import {
  errnoOf,
  identifySelf,
  isProcessIdentity,
  isProvenDead,
  type ProcessIdentity,
  ProcessIdentityUnavailableError,
} from '@procref/core'
import { MAX_LEASE_MS, MIN_LEASE_MS } from './lease.ts'

/** What an owner says of itself. */
export interface OwnerRecord {
  /** For how long it wants to be believed without a heartbeat. */
  readonly leaseMs: number
  /** Absent where the system does not tell processes apart safely: then only time tells of a death. */
  readonly process?: ProcessIdentity
  /** Different for each taking of a lock; see `Ownership`. Absent when somebody else wrote or damaged the record. */
  readonly claim?: string
}

export interface OwnRecord extends OwnerRecord {
  readonly claim: string
}

const MAX_BYTES = 4096

export function ownRecord(leaseMs: number): OwnRecord {
  const self = identifySelfIfPossible()
  return { leaseMs, claim: randomUUID(), ...(self !== undefined && { process: self }) }
}

/** Throws `EEXIST` when there is one. */
export function writeRecord(path: string, record: OwnerRecord): void {
  writeFileSync(path, `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600 })
}

/** `undefined`: there is none, or a killed writer left half of one, or somebody damaged it. */
export function readRecord(path: string): OwnerRecord | undefined {
  const text = readSmallFile(path)
  if (text === undefined) return undefined
  try {
    return checked(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Is it proven that whoever wrote this has ended? Never on a system that does not tell processes apart safely. */
export function hasProvenlyEnded({ process }: OwnerRecord): boolean {
  return process !== undefined && identifySelfIfPossible() !== undefined && isProvenDead(process)
}

function identifySelfIfPossible(): ProcessIdentity | undefined {
  try {
    return identifySelf()
  } catch (error) {
    if (error instanceof ProcessIdentityUnavailableError) return undefined
    throw error
  }
}

function checked(value: unknown): OwnerRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { leaseMs, process, claim } = value as Record<string, unknown>
  if (typeof leaseMs !== 'number' || !(leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS)) return undefined
  return {
    leaseMs,
    ...(isProcessIdentity(process) && { process }),
    ...(typeof claim === 'string' && { claim }),
  }
}

function readSmallFile(path: string): string | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const errno = errnoOf(error)
    // A link in its place is none of ours.
    if (errno === 'ENOENT' || errno === 'ELOOP') return undefined
    throw error
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined
    const buffer = Buffer.alloc(MAX_BYTES)
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, MAX_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}
