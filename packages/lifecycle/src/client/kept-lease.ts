/**
 * A lease and what keeps it: every 5 s, and at once when somebody pokes it, the slot, `server.json` and the alive lock are
 * looked at. No guardian → the wait loop of connect(), with no exit but a server or `lost`.
 */
import { isPassingTrouble, type LockWatch, type Slot, type SlotPool } from '@procref/core'
import { delay } from '../delay.ts'
import { LeaseLostError } from '../errors.ts'
import { fileTrouble } from '../file-trouble.ts'
import type { ServerRecord } from '../state/server-record.ts'
import { awaitServing, endOf, type WaitContext } from './await-serving.ts'
import { checkProtocol } from './check-protocol.ts'
import { checkReachable } from './check-reachable.ts'
import { checkSeen } from './check-seen.ts'
import { claimAfresh } from './claim-afresh.ts'
import { EndingLease } from './ending-lease.ts'
import type { LeasedServer, ServiceLease } from './lease.ts'
import { hasEnded, isUp, look } from './look.ts'

const CHECK_MS = 5_000
const LOOK_AGAIN_MS = 500

export interface LeaseParts {
  readonly pool: SlotPool
  readonly slot: Slot
  readonly record: ServerRecord
  /** As connect() waited, for waiting again: without its deadline, signal and keep-alive. */
  readonly wait: Omit<WaitContext, 'deadline' | 'signal' | 'keepAlive' | 'progress'>
}

export class KeptLease extends EndingLease<LeasedServer> implements ServiceLease {
  readonly #wait: LeaseParts['wait']
  #pool: SlotPool
  #slot: Slot
  #record: ServerRecord
  /** The alive file of the guardian that this lease knows: while it is at its path, the directory is the one we claimed in. */
  #alive: LockWatch | undefined
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined

  constructor(parts: LeaseParts) {
    super(parts.wait.paths.root)
    this.#wait = parts.wait
    this.#pool = parts.pool
    this.#slot = parts.slot
    this.#record = parts.record
    this.#watchAlive(parts.record)
    this.#schedule()
  }

  get slot(): Slot {
    return this.#slot
  }

  get epoch(): number {
    return this.#record.epoch
  }

  /** What the lease relies on; for the layer that connects to it. */
  get record(): ServerRecord {
    return this.#record
  }

  get server(): LeasedServer {
    return leasedServer(this.#record)
  }

  /** Looks now instead of at the next interval; resolves when the lease is good again, or over. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#checkOnce().finally(() => {
      this.#checking = undefined
      this.#schedule()
    })
    return this.#checking
  }

  protected override async release(): Promise<void> {
    clearTimeout(this.#timer)
    // Who looks at this moment may be about to have another slot, or another watch: it is called off, and what it has got is known then.
    await this.#checking
    this.#alive?.close()
    await this.#pool.close()
  }

  async #checkOnce(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.ended.aborted) return
    const giveUpAt = performance.now() + this.#wait.timeoutMs
    for (;;) {
      try {
        return await this.#lookOnce()
      } catch (error) {
        if (!isPassingTrouble(error) || performance.now() >= giveUpAt) {
          return this.lose(fileTrouble(error, this.#wait.paths.root))
        }
      }
      // Who could not look has not seen that anything is wrong: a lease that is good is not given up for that.
      await delay(LOOK_AGAIN_MS, 'let-exit', this.ended).catch(() => {})
      if (this.ended.aborted) return
    }
  }

  async #lookOnce(): Promise<void> {
    await this.#keepSlot()
    const record = await this.#findServer()
    checkReachable(record, this.#wait.paths.root)
    checkSeen(this.#pool, record, this.#wait.paths.root)
    const known = this.#record
    // First what may fail: of what is not known yet the next look tells again.
    if (this.#alive?.isCurrent() !== true) this.#watchAlive(record)
    this.#record = record
    if (record.epoch !== known.epoch || record.nonce !== known.nonce)
      this.announce({ epoch: this.epoch, server: this.server })
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
      signal: this.ended,
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
      const { pool, slot } = await claimAfresh(place, this.#pool.size, this.ended)
      const old = this.#pool
      this.#pool = pool
      this.#slot = slot
      await old.close()
    }
  }

  #watchAlive({ nonce }: ServerRecord): void {
    this.#alive?.close()
    this.#alive = undefined
    try {
      this.#alive = this.#wait.backend.locks.watch(this.#wait.paths.aliveLock(nonce))
    } catch (error) {
      // Deleted in this moment: the next check decides what that means.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #schedule(): void {
    if (this.ended.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.check(), CHECK_MS * (0.75 + 0.5 * Math.random()))
    this.#timer.unref()
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
