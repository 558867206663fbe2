import { LeaseLostError } from '../errors.ts'
import type { ReconnectEvent } from './lease.ts'
import { ReconnectListeners } from './reconnect-listeners.ts'

/**
 * How a lease ends, wherever its server is: closed by its user, or lost for a reason; whichever comes first, and once.
 *
 * Guarantee: `lost` fires before `ended`, and `ended` before anything is given back; nobody is told of a reconnection afterwards.
 */
export abstract class EndingLease<Server> implements AsyncDisposable {
  readonly #dir: string
  readonly #lost = new AbortController()
  readonly #ended = new AbortController()
  readonly #listeners = new ReconnectListeners<Server>()
  #closing: Promise<void> | undefined

  constructor(dir: string) {
    this.#dir = dir
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Fires when the lease is over, lost or closed: nothing has to look after it any more. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  onReconnect(listener: (event: ReconnectEvent<Server>) => void): () => void {
    return this.#listeners.add(listener)
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

  protected announce(event: ReconnectEvent<Server>): void {
    this.#listeners.tell(event)
  }

  /** Stops its timers and gives back what it has. Called once, when the lease is over. */
  protected abstract release(): Promise<void>

  async #close(): Promise<void> {
    this.#ended.abort(new LeaseLostError({ dir: this.#dir, reason: 'it was closed' }))
    this.#listeners.clear()
    await this.release()
  }
}
