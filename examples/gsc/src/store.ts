import { connect, type Lease } from 'procref'
import { Table } from 'surrealdb'
import { log } from './log.ts'
import { migrate } from './migrate.ts'
import type { GscOptions } from './options.ts'
import { runQuery } from './run-query.ts'
import { DATABASE, NAMESPACE } from './schema.ts'

/** A table of which somebody wants to know when rows in it change. */
export interface Watch {
  readonly table: string
  /** Called after a change, and whenever changes can have gone unseen because the connection was away. */
  readonly onChange: () => void
}

/**
 * The shared database, connected when it is first needed and again after a lease was lost.
 *
 * A lease by itself outlives its server: procref starts the next one and calls in flight are sent again, perhaps twice, so
 * everything that is written through a store has to bear that. It is lost only for good reason (`procref stop --force`, a removed
 * directory); the next call then takes a new one.
 */
export class Store implements AsyncDisposable {
  readonly #options: GscOptions
  readonly #label: string
  readonly #watches: readonly Watch[]
  readonly #closing = new AbortController()
  #lease: Promise<Lease> | undefined

  constructor(options: GscOptions, label: string, watches: readonly Watch[] = []) {
    this.#options = options
    this.#label = label
    this.#watches = watches
  }

  /** `close()` was called. */
  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Connected, with the schema in place. Rejects with procref's errors, or a `Mistake`; the next call then tries anew. */
  lease(): Promise<Lease> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason)
    if (this.#lease === undefined) {
      const opening = this.#open()
      this.#lease = opening
      const forget = (): void => {
        if (this.#lease === opening) this.#lease = undefined
      }
      opening.then((lease) => {
        if (lease.lost.aborted) forget()
        else lease.lost.addEventListener('abort', forget, { once: true })
      }, forget)
    }
    return this.#lease
  }

  /** Runs one query, or one transaction; a conflict with another program has done nothing, and is tried again. */
  async query<R extends unknown[]>(text: string, variables: Readonly<Record<string, unknown>> = {}): Promise<R> {
    const { db } = await this.lease()
    // What a statement answers is known to who wrote it, not to the compiler.
    return (await runQuery(db, text, variables)) as R
  }

  /** Gives the lease back. Calls that wait for an answer are rejected. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the program ends'))
    const lease = await this.#lease?.catch(() => undefined)
    await lease?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<Lease> {
    const lease = await connect({
      ...this.#options,
      label: this.#label,
      namespace: NAMESPACE,
      database: DATABASE,
      endWith: 'stdin',
      signal: this.#closing.signal,
    })
    try {
      await migrate(lease.db)
      for (const watch of this.#watches) await this.#watch(lease, watch)
    } catch (error) {
      await lease.close()
      throw error
    }
    lease.onReconnect(({ epoch, server }) => {
      log(`connected again: epoch ${epoch}, server pid ${server.pid}, port ${server.port}`)
      this.#tellAll()
    })
    const onLost = (): void => {
      if (!this.#closing.signal.aborted) log(`the lease is lost: ${lease.lost.reason}`)
    }
    lease.lost.addEventListener('abort', onLost, { once: true })
    log(`connected to ${lease.url}: slot ${lease.slot.id} of ${this.#options.dir}, server pid ${lease.server.pid}`)
    this.#tellAll()
    return lease
  }

  async #watch(lease: Lease, { table, onChange }: Watch): Promise<void> {
    const live = await lease.db.live(new Table(table))
    live.subscribe(() => onChange())
  }

  #tellAll(): void {
    for (const { onChange } of this.#watches) onChange()
  }
}
