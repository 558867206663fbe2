import type { RunningServer } from '../driver.ts'
import { isStopped } from '../identity/standstill.ts'
import { serializeError } from '../state/serialized-error.ts'

/** Shorter than the beat, so that no beat finds a question under way that may still be answered. */
const ANSWER_MS = 4_000
/** Any machine is busy for a moment. */
const FAILURES = 2

/**
 * Whether the server answers. Says so and does nothing else: a hung server is not dead, it may be in the middle of a write, and
 * whoever ends it on a guess loses what it was about to do.
 */
export class Health {
  readonly #server: RunningServer
  /** What the kernel says the server's process is doing. */
  readonly #processState: () => string | undefined
  readonly #changed: () => void
  #state: 'serving' | 'unresponsive' = 'serving'
  #failures = 0
  #seen = ''
  #asking: AbortController | undefined

  constructor(server: RunningServer, processState: () => string | undefined, changed: () => void) {
    this.#server = server
    this.#processState = processState
    this.#changed = changed
  }

  get state(): 'serving' | 'unresponsive' {
    return this.#state
  }

  /** What was seen instead of the last answer. */
  get seen(): string {
    return this.#seen
  }

  /**
   * Asks once and returns at once; `changed` is called when the answer, or its absence, makes another state of it. At most one
   * question is under way, whatever the driver does.
   */
  ask(): void {
    const state = this.#processState()
    // The kernel accepts connections in the name of a stopped process: asking would only fill its queue.
    if (isStopped(state)) this.#failed(`its process is in the state ${state}`)
    else if (this.#asking !== undefined) this.#failed('it has not answered what it was asked before')
    else if (this.#server.healthy === undefined) this.#answered()
    else void this.#ask(this.#server.healthy.bind(this.#server))
  }

  /** Ends the question that is under way; its answer counts no more. */
  close(): void {
    this.#asking?.abort(new Error('no longer of interest'))
    this.#asking = undefined
  }

  async #ask(healthy: NonNullable<RunningServer['healthy']>): Promise<void> {
    const asking = new AbortController()
    this.#asking = asking
    const timer = setTimeout(() => asking.abort(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
    try {
      await healthy({ signal: asking.signal })
      if (this.#asking === asking) this.#answered()
    } catch (error) {
      const reason = asking.signal.aborted ? asking.signal.reason : error
      if (this.#asking === asking) this.#failed(serializeError(reason).message)
    } finally {
      clearTimeout(timer)
      if (this.#asking === asking) this.#asking = undefined
    }
  }

  #answered(): void {
    this.#failures = 0
    if (this.#state === 'unresponsive') this.#become('serving')
  }

  #failed(seen: string): void {
    this.#seen = seen
    this.#failures++
    if (this.#failures >= FAILURES && this.#state === 'serving') this.#become('unresponsive')
  }

  #become(state: 'serving' | 'unresponsive'): void {
    this.#state = state
    this.#changed()
  }
}
