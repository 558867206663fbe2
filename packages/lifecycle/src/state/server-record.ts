import { closeSync, constants, ftruncateSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Descriptor, isProcessIdentity, type Json, type ProcessIdentity } from '@procref/core'
import type { StartMark } from '../crash-loop.ts'
import { NewerProtocolError } from '../errors.ts'
import { moveIntoPlace, openNew, removeFile, removeTemporaries, replaceFile, writeWhole } from './atomic-file.ts'
import { isNonce } from './nonce.ts'
import { isPlainText } from './plain-text.ts'
import { NEWEST_PROTOCOL } from './protocols.ts'
import { isSerializedError, type SerializedError } from './serialized-error.ts'
import { parseJson, readSmallFile } from './small-file.ts'

const STATES = ['starting', 'serving', 'unresponsive', 'draining', 'stopping', 'stopped', 'failed'] as const
export type ServerState = (typeof STATES)[number]

/** Under a living guardian, only in these states is there a server to talk to. */
export function isUpState(state: ServerState): boolean {
  return state === 'serving' || state === 'unresponsive'
}

/** Why a server stopped. */
const STOP_CAUSES = ['empty', 'request', 'signal', 'usurped'] as const
type StopCause = (typeof STOP_CAUSES)[number]

/** How the guardian behaves; recorded, because a restart uses what was recorded. */
export interface ServiceSettings {
  readonly lingerMs: number
  readonly crashLoop: { readonly starts: number; readonly withinMs: number }
  /** Only when somebody asked for this very port: then it is never exchanged for another. */
  readonly port?: number
  readonly allowUnsafeFilesystem?: boolean
  /** How many slots the pool of its clients has, for whoever has to make the pool's folder again; absent in records of older versions. */
  readonly slots?: number
}

interface ServerFailure extends SerializedError {
  readonly logTail: readonly string[]
}

/** `server.json`: what clients and people know of the guardian and its server. A label; locks decide. */
export interface ServerRecord {
  /** The oldest protocol that its guardian speaks: whoever knows only older ones would misunderstand the record. */
  readonly protocol: number
  /** The newest one that its guardian speaks; absent: the same. */
  readonly newestProtocol?: number
  /** The version of procref that wrote it. */
  readonly procref: string
  readonly state: ServerState
  readonly epoch: number
  readonly nonce: string
  /** When it was written, ISO 8601. */
  readonly at: string
  readonly guardian: ProcessIdentity
  /** Absent until the server was launched. */
  readonly server?: ProcessIdentity
  readonly host: string
  readonly port: number
  /** The number of the server's listening socket (`findListener`), so that a client proves it without a search. */
  readonly listener?: string
  readonly durable: boolean
  /** The server's own version, once it is known. */
  readonly version?: string
  readonly driver: {
    readonly name: string
    readonly descriptor: Descriptor
    readonly settings: { readonly [key: string]: Json }
  }
  readonly backend: { readonly name: string; readonly descriptor: Descriptor }
  readonly settings: ServiceSettings
  /** In the state `failed`. */
  readonly failure?: ServerFailure
  /** In the states `stopping` and `stopped`, unless it is `restarting`. */
  readonly by?: StopCause
  /**
   * In the states `stopping` and `stopped`: the process `by` has asked for another guardian (this one itself, when its server could not write
   * any more), so this is no end for those who have a lease. Not a cause of its own: a reader of protocol 1 does not know it, and brings the server back as after a signal.
   */
  readonly restarting?: { readonly by: number }
  /** Whose server may still be there; absent once `server.lock` has proven that it is not. */
  readonly previous?: {
    readonly nonce: string
    readonly epoch: number
    readonly guardian: ProcessIdentity
    readonly server?: ProcessIdentity
  }
  /** Starts that did not end in a clean stop. */
  readonly starts: readonly StartMark[]
}

/**
 * The record at `path`; `undefined` when there is none, or something that is not one: then the locks alone decide.
 * Throws `NewerProtocolError` when a procref wrote it that speaks only newer protocols, or newer ones as well in a record that is not
 * understood; `StateFileUnsafeError` when somebody else did.
 * One by a procref that speaks only older ones is read as far as it looks like a record: see `checkProtocol`.
 */
export function readServerRecord(path: string): ServerRecord | undefined {
  const file = readSmallFile(path)
  if (file.kind !== 'text') return undefined
  const value = parseJson(file.text)
  if (!isObject(value)) return undefined
  const { protocol, newestProtocol } = value
  if (isProtocol(protocol) && protocol > NEWEST_PROTOCOL) throw newer(path, value, protocol)
  if (isServerRecord(value)) return value
  // It says that we understand it, and we do not: taken for none it would be replaced, and its epoch begun anew.
  if (isProtocol(newestProtocol) && newestProtocol > NEWEST_PROTOCOL) throw newer(path, value, newestProtocol)
  return undefined
}

function newer(path: string, { procref }: Record<string, unknown>, found: number): NewerProtocolError {
  return new NewerProtocolError({
    path,
    found,
    supported: NEWEST_PROTOCOL,
    ...(isPlainText(procref) && { writtenBy: procref }),
  })
}

/** As many writes can still follow when the disk is full: `draining`, `stopping`, `stopped`. */
const SPARES = 3
/** Larger than a record without a failure. */
const SPARE_BYTES = 16_384

/** `server.json` as its only writer, the guardian with this nonce, sees it. */
export class ServerRecordFile {
  readonly #path: string
  readonly #nonce: string
  #spares: string[] = []

  constructor(path: string, nonce: string) {
    this.#path = path
    this.#nonce = nonce
  }

  /**
   * Replaces the record in one step, mode 0600. On a full disk a spare file is used up, if `reserve` made any and they are
   * not to be kept for what matters more.
   *
   * Guarantee: when it throws, the old record is intact; a reader sees the old or the new one.
   * Unspecified: which of them is there after a power cut (nothing runs then, so it does not matter).
   */
  write(record: ServerRecord, reserve: 'use-reserve' | 'keep-reserve' = 'use-reserve'): void {
    const text = `${JSON.stringify(record, null, 2)}\n`
    try {
      replaceFile(this.#path, text, this.#nonce)
    } catch (error) {
      const spare = isFull(error) && reserve === 'use-reserve' ? this.#spares.shift() : undefined
      if (spare === undefined) throw error
      writeIntoSpare(spare, text)
      moveIntoPlace(spare, this.#path)
    }
  }

  /**
   * Makes the spare files that are missing, so that the writes of a stop need no free block and no free inode. Throws
   * when the disk is full already. File systems that write in place keep the promise (ext4, XFS, tmpfs); btrfs and ZFS
   * want a new block even then.
   */
  reserve(): void {
    while (this.#spares.length < SPARES) {
      const taken = new Set(this.#spares)
      const spare = spareNames(this.#path, this.#nonce).find((name) => !taken.has(name))
      if (spare === undefined) return
      makeSpare(spare)
      this.#spares.push(spare)
    }
  }

  /** Unlinks the spare files. Caller: at the end, after the last write; of a guardian that was killed the next one does it. */
  close(): void {
    for (const spare of this.#spares.splice(0)) removeFile(spare)
  }

  /** Unlinks temporary and spare files that other guardians, and anybody else who died while writing, left beside the record. */
  removeLeftovers(): void {
    removeTemporaries(dirname(this.#path), this.#nonce)
  }
}

function spareNames(path: string, nonce: string): readonly string[] {
  return Array.from({ length: SPARES }, (_, i) => `${path}.${nonce}.spare${i}`)
}

function makeSpare(path: string): void {
  const fd = openNew(path)
  try {
    // Written, not just extended: a hole has no blocks.
    writeWhole(fd, Buffer.alloc(SPARE_BYTES, ' '))
  } catch (error) {
    removeFile(path)
    throw error
  } finally {
    closeSync(fd)
  }
}

function writeIntoSpare(path: string, text: string): void {
  const bytes = Buffer.from(text)
  const fd = openSync(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    writeWhole(fd, bytes)
    ftruncateSync(fd, bytes.length)
  } finally {
    closeSync(fd)
  }
}

function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

function isServerRecord(v: Record<string, unknown>): v is Record<string, unknown> & ServerRecord {
  return (
    isProtocol(v.protocol) &&
    (v.newestProtocol === undefined || (isProtocol(v.newestProtocol) && v.newestProtocol >= v.protocol)) &&
    isPlainText(v.procref) &&
    isOneOf(STATES, v.state) &&
    isCount(v.epoch) &&
    isNonce(v.nonce) &&
    typeof v.at === 'string' &&
    isProcessIdentity(v.guardian) &&
    isOptional(v.server, isProcessIdentity) &&
    typeof v.host === 'string' &&
    isCount(v.port) &&
    v.port <= 65_535 &&
    isOptional(v.listener, isString) &&
    typeof v.durable === 'boolean' &&
    isOptional(v.version, isString) &&
    isObject(v.driver) &&
    typeof v.driver.name === 'string' &&
    isDescriptor(v.driver.descriptor) &&
    isObject(v.driver.settings) &&
    isObject(v.backend) &&
    typeof v.backend.name === 'string' &&
    isDescriptor(v.backend.descriptor) &&
    isSettings(v.settings) &&
    isOptional(v.failure, isFailure) &&
    isOptional(v.by, (by) => isOneOf(STOP_CAUSES, by)) &&
    isOptional(v.restarting, (restarting) => isObject(restarting) && isCount(restarting.by)) &&
    isOptional(v.previous, isPrevious) &&
    Array.isArray(v.starts) &&
    v.starts.every(isStartMark)
  )
}

function isSettings(value: unknown): boolean {
  return (
    isObject(value) &&
    isCount(value.lingerMs) &&
    isObject(value.crashLoop) &&
    isCount(value.crashLoop.starts) &&
    isCount(value.crashLoop.withinMs) &&
    isOptional(value.port, isCount) &&
    isOptional(value.slots, isCount)
  )
}

function isFailure(value: unknown): boolean {
  if (!isSerializedError(value)) return false
  const { logTail } = value as { logTail?: unknown }
  return Array.isArray(logTail) && logTail.every(isString)
}

function isPrevious(value: unknown): boolean {
  return (
    isObject(value) &&
    isNonce(value.nonce) &&
    isCount(value.epoch) &&
    isProcessIdentity(value.guardian) &&
    isOptional(value.server, isProcessIdentity)
  )
}

function isStartMark(value: unknown): boolean {
  return isObject(value) && typeof value.bootId === 'string' && typeof value.monotonicMs === 'number'
}

function isDescriptor(value: unknown): boolean {
  return isObject(value) && typeof value.module === 'string' && typeof value.factory === 'string' && 'options' in value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isProtocol(value: unknown): value is number {
  return isCount(value) && value > 0
}

function isOneOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return list.includes(value as T)
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value)
}
