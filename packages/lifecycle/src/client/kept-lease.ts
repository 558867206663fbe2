/**
 * A lease and what keeps it: every 5 s, and at once when somebody pokes it, the slot, `server.json` and the alive lock are
 * looked at. No guardian → the wait loop of connect(), with no exit but a server or `lost`.
 */
import type { LockWatch, Slot, SlotPool } from '@procref/core'
import { LeaseLostError } from '../errors.ts'
import type { ServerRecord } from '../state/server-record.ts'
import { awaitServing, endOf, type WaitContext } from './await-serving.ts'
import { checkProtocol } from './check-protocol.ts'
import { checkReachable } from './check-reachable.ts'
import { checkSeen } from './check-seen.ts'
import { claimAfresh } from './claim-afresh.ts'
import { fileTrouble } from './file-trouble.ts'
import type { LeasedServer, ReconnectEvent, ServiceLease } from './lease.ts'
import { hasEnded, isUp, look } from './look.ts'

const CHECK_MS = 5_000

export interface LeaseParts {
  readonly pool: SlotPool
  readonly slot: Slot
  readonly record: ServerRecord
  /** As connect() waited, for waiting again: without its deadline, signal and keep-alive. */
  readonly wait: Omit<WaitContext, 'deadline' | 'signal' | 'keepAlive' | 'progress'>
}

export class KeptLease implements ServiceLease {
  readonly #wait: LeaseParts['wait']
  readonly #lost = new AbortController()
  readonly #ended = new AbortController()
  readonly #listeners = new Set<(event: ReconnectEvent) => void>()
  #pool: SlotPool
  #slot: Slot
  #record: ServerRecord
  /** The alive file of the guardian that this lease knows: while it is at its path, the directory is the one we claimed in. */
  #alive: LockWatch | undefined
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: LeaseParts) {
    this.#wait = parts.wait
    this.#pool = parts.pool
    this.#slot = parts.slot
    this.#record = parts.record
    this.#watchAlive()
    this.#schedule()
  }

  get slot(): Slot {
    return this.#slot
  }

  get epoch(): number {
    return this.#record.epoch
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Fires when the lease is over, lost or closed: nothing has to look after it any more. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** What the lease relies on; for the layer that connects to it. */
  get record(): ServerRecord {
    return this.#record
  }

  get server(): LeasedServer {
    return leasedServer(this.#record)
  }

  onReconnect(listener: (event: ReconnectEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Looks now instead of at the next interval; resolves when the lease is good again, or over. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#checkOnce().finally(() => {
      this.#checking = undefined
      this.#schedule()
    })
    return this.#checking
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends the lease for a reason that its user has to know. */
  lose(reason: unknown): void {
    if (this.#ended.signal.aborted) return
    this.#lost.abort(reason)
    void this.close()
  }

  async #checkOnce(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#ended.signal.aborted) return
    try {
      await this.#keepSlot()
      const record = await this.#findServer()
      checkReachable(record, this.#wait.paths.root)
      checkSeen(this.#pool, record, this.#wait.paths.root)
      const known = this.#record
      this.#record = record
      if (this.#alive?.isCurrent() !== true) this.#watchAlive()
      if (record.epoch !== known.epoch || record.nonce !== known.nonce) this.#announce()
    } catch (error) {
      this.lose(fileTrouble(error, this.#wait.paths.root))
    }
  }

  async #findServer(): Promise<ServerRecord> {
    const { paths, backend, timeoutMs } = this.#wait
    const view = look(backend.locks, paths)
    if (view.record !== undefined && hasEnded(view.record) && view.record.epoch >= this.#record.epoch) {
      throw endOf(view.record, paths)
    }
    if (isUp(view)) {
      checkProtocol(view.record, paths.root)
      return view.record
    }
    return await awaitServing({
      ...this.#wait,
      deadline: performance.now() + timeoutMs,
      signal: this.#ended.signal,
      keepAlive: 'let-exit',
      progress: () => {},
    })
  }

  /**
   * A slot whose file was deleted is replaced, but only in the directory that we know: if that was replaced as well, the server
   * works on deleted files, and a fresh slot would hide that everything written to it will be gone.
   */
  async #keepSlot(): Promise<void> {
    try {
      await this.#slot.verify()
      return
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'PROCREF_SLOT_LOST') throw error
      const { paths, backend, label, settings } = this.#wait
      if (this.#alive?.isCurrent() !== true) {
        throw new LeaseLostError(
          {
            dir: paths.root,
            reason: `the slot file ${this.#slot.path ?? ''} and the guardian's lock were deleted or replaced`,
          },
          { cause: error },
        )
      }
      const { allowUnsafeFilesystem } = settings
      const place = { backend, dir: paths.slots, label, allowUnsafeFilesystem }
      const { pool, slot } = await claimAfresh(place, this.#pool.size, this.#ended.signal)
      const old = this.#pool
      this.#pool = pool
      this.#slot = slot
      await old.close()
    }
  }

  #watchAlive(): void {
    this.#alive?.close()
    this.#alive = undefined
    try {
      this.#alive = this.#wait.backend.locks.watch(this.#wait.paths.aliveLock(this.#record.nonce))
    } catch (error) {
      // Deleted in this moment: the next check decides what that means.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #announce(): void {
    const event = { epoch: this.epoch, server: this.server }
    for (const listener of this.#listeners) listener(event)
  }

  #schedule(): void {
    if (this.#ended.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.check(), CHECK_MS * (0.75 + 0.5 * Math.random()))
    this.#timer.unref()
  }

  async #close(): Promise<void> {
    this.#ended.abort(new LeaseLostError({ dir: this.#wait.paths.root, reason: 'it was closed' }))
    clearTimeout(this.#timer)
    this.#alive?.close()
    this.#listeners.clear()
    await this.#pool.close()
  }
}

function leasedServer(record: ServerRecord): LeasedServer {
  return {
    external: false,
    host: record.host,
    port: record.port,
    pid: record.server?.pid ?? record.guardian.pid,
    guardianPid: record.guardian.pid,
    driver: record.driver.name,
    durable: record.durable,
    ...(record.version !== undefined && { version: record.version }),
  }
}
