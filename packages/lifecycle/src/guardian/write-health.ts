import type { RunningServer } from '../driver.ts'
import { serializeError } from '../state/serialized-error.ts'
import { type Room, suffices } from './room.ts'

/** A disk may be slow; but what is asked here is asked only after a write was refused. */
const ANSWER_MS = 10_000

/**
 * Whether the server can still write. A storage that could not write once, because the disk was full or a descriptor was missing, may refuse
 * every write from then on until its database is opened anew (RocksDB's background errors), or not answer one any more (SurrealKV in SurrealDB 3.0.2), while it
 * answers what only reads. Then `stuck` says so.
 *
 * Nothing is written as long as nothing gives rise to a suspicion.
 */
export class WriteHealth {
  readonly #server: RunningServer
  /** Without room the next start would be refused, and nobody could even read. */
  readonly #room: () => Room
  readonly #changed: () => void
  #suspicion: string | undefined
  #stuck: string | undefined
  #asking: AbortController | undefined

  constructor(server: RunningServer, room: () => Room, changed: () => void) {
    this.#server = server
    this.#room = room
    this.#changed = changed
  }

  /** What was seen of a server that cannot write although there is room; `undefined`: it can, as far as is known. */
  get stuck(): string | undefined {
    return this.#stuck
  }

  /** Returns at once; `changed` is called when it is found stuck. At most one question is under way. */
  ask(): void {
    const { commits } = this.#server
    if (commits === undefined) return
    const room = this.#room()
    this.#suspicion = this.#server.refusedWrite?.() ?? this.#suspicion
    if (room.isLow || (this.#stuck !== undefined && !suffices(room))) {
      this.#suspicion ??= this.#stuck ?? `${room.free} bytes were free`
      this.#stuck = undefined
      return
    }
    if (this.#suspicion === undefined || this.#asking !== undefined || this.#stuck !== undefined) return
    if (!suffices(room)) return
    void this.#ask(commits.bind(this.#server), this.#suspicion)
  }

  /** Ends the question that is under way; its answer counts no more. */
  close(): void {
    this.#asking?.abort(new Error('no longer of interest'))
    this.#asking = undefined
  }

  async #ask(commits: NonNullable<RunningServer['commits']>, suspicion: string): Promise<void> {
    const asking = new AbortController()
    this.#asking = asking
    this.#suspicion = undefined
    const timer = setTimeout(() => asking.abort(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
    try {
      await commits({ signal: asking.signal })
    } catch (error) {
      const reason = asking.signal.aborted ? asking.signal.reason : error
      if (this.#asking !== asking) return
      // Full again meanwhile: that it cannot write now says nothing.
      if (!suffices(this.#room())) this.#suspicion ??= suspicion
      else this.#stuck = `${suspicion}; and now: ${serializeError(reason).message}`
      if (this.#stuck !== undefined) this.#changed()
    } finally {
      clearTimeout(timer)
      if (this.#asking === asking) this.#asking = undefined
    }
  }
}
