import { isPassingTrouble, type Slot, type SlotPool } from '@procref/core'
import type { Surreal } from 'surrealdb'
import { claimAfresh, type SlotsPlace } from '../client/claim-afresh.ts'
import { EndingLease } from '../client/ending-lease.ts'
import { timerMs } from '../delay.ts'
import { fileTrouble } from '../file-trouble.ts'
import type { Lease } from '../surreal/connect.ts'
import type { SurrealConnection } from '../surreal/connection.ts'
import type { Entrance } from './entrance.ts'
import type { ExternalDriver } from './external.ts'
import { unreachable } from './unreachable.ts'

/** A SurrealDB that somebody else runs: of its processes nothing is known here. */
export interface ExternalServer {
  readonly external: true
  readonly driver: 'external'
  readonly url: string
  readonly host: string
  readonly port: number
  /** Not known: that is for whoever runs it to say. */
  readonly durable: undefined
}

export interface ExternalLeaseParts {
  readonly root: string
  readonly place: SlotsPlace
  readonly pool: SlotPool
  readonly slot: Slot
  readonly entrance: Entrance
  readonly connection: SurrealConnection
  readonly timeoutMs: number
}

const CHECK_MS = 5_000
const LOOK_AGAIN_MS = 500

/**
 * A slot and a connection that is dialled again whenever it is lost, with growing pauses. `lost` fires after `timeoutMs` without one
 * (`ExternalUnreachableError`), when the server refuses the credentials (`ExternalRefusedError`), and when the slot cannot be kept.
 */
export class ExternalLease extends EndingLease<ExternalServer> implements Lease<ExternalServer> {
  readonly server: ExternalServer
  readonly #parts: ExternalLeaseParts
  #pool: SlotPool
  #slot: Slot
  #epoch = 1
  /** The first of the looks that have failed since the last good one. */
  #cannotLookSince: number | undefined
  #lastDrop: Error | undefined
  #patience: NodeJS.Timeout | undefined
  #checks: NodeJS.Timeout | undefined

  constructor(parts: ExternalLeaseParts) {
    super(parts.root)
    this.#parts = parts
    this.#pool = parts.pool
    this.#slot = parts.slot
    this.server = serverAt(parts.entrance.driver)
    const { connection } = parts
    connection.onDropped((error) => this.#dropped(error))
    connection.onConnected(() => this.#connected())
    connection.onEnded((error) => void this.#connectionEnded(error))
    this.#schedule()
  }

  get db(): Surreal {
    return this.#parts.connection.db
  }
  get url(): string {
    return this.server.url
  }
  get slot(): Slot {
    return this.#slot
  }
  /** Counts the connections of this lease: whether the server was another one after a reconnection cannot be told. */
  get epoch(): number {
    return this.#epoch
  }

  /** The connection first: who has no slot uses no server. */
  protected override async release(): Promise<void> {
    clearTimeout(this.#patience)
    clearTimeout(this.#checks)
    await this.#parts.connection.close()
    await this.#pool.close()
  }

  #dropped(error: Error): void {
    this.#lastDrop = error
    this.#parts.entrance.begin()
    if (this.#patience !== undefined || this.ended.aborted) return
    const { timeoutMs } = this.#parts
    this.#patience = setTimeout(() => this.lose(unreachable(this.url, timeoutMs, this.#lastDrop)), timerMs(timeoutMs))
    // Who dials keeps the program running.
    this.#patience.unref()
  }

  #connected(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#epoch++
    this.announce({ epoch: this.#epoch, server: this.server })
  }

  /** Without an error: the program closed `db`. */
  async #connectionEnded(error: Error | undefined): Promise<void> {
    if (error === undefined) return await this.close()
    this.lose((await this.#parts.entrance.verdict(error)) ?? error)
  }

  async #check(): Promise<void> {
    try {
      await this.#keepSlot()
      this.#cannotLookSince = undefined
    } catch (error) {
      this.#cannotLookSince ??= performance.now()
      // Who could not look has not seen that anything is wrong.
      const waits = isPassingTrouble(error) && performance.now() - this.#cannotLookSince < this.#parts.timeoutMs
      if (!waits) this.lose(fileTrouble(error, this.#parts.root))
    }
    this.#schedule()
  }

  /** A deleted slot file is replaced by another slot, in a new directory too: no server depends on this one. */
  async #keepSlot(): Promise<void> {
    try {
      return await this.#slot.verify()
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'PROCREF_SLOT_LOST') throw error
    }
    const { pool, slot } = await claimAfresh(this.#parts.place, this.#pool.size, this.ended)
    if (this.ended.aborted) return await pool.close()
    const old = this.#pool
    this.#pool = pool
    this.#slot = slot
    await old.close()
  }

  #schedule(): void {
    if (this.ended.aborted) return
    const ms = this.#cannotLookSince === undefined ? CHECK_MS * (0.75 + 0.5 * Math.random()) : LOOK_AGAIN_MS
    this.#checks = setTimeout(() => void this.#check(), ms)
    this.#checks.unref()
  }
}

function serverAt({ url }: ExternalDriver): ExternalServer {
  const { protocol, hostname, port } = new URL(url)
  const usual = protocol === 'wss:' ? 443 : 80
  return {
    external: true,
    driver: 'external',
    url,
    host: hostname,
    port: port === '' ? usual : Number(port),
    durable: undefined,
  }
}
