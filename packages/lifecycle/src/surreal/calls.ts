import { CallTerminatedError } from 'surrealdb'
import type { WebSocket } from 'ws'

/** So often a call is sent in all: one that brings the server down each time must not do so for ever. */
const MAX_SENDS = 3

interface Call {
  readonly bytes: Uint8Array
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  /** Restores the session on a new connection: means nothing on the next one. */
  readonly restoring: boolean
  /** The connection on which it awaits its answer. */
  socket?: WebSocket
  sends: number
}

/** The calls that have no answer yet. */
export class Calls {
  readonly #calls = new Map<string, Call>()

  /** Resolves or rejects with what the server answers; see `sendAll` and `end` for what else can happen to it. */
  add(id: string, bytes: Uint8Array, { restoring }: { readonly restoring: boolean }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { bytes, resolve, reject, restoring, sends: 0 })
    })
  }

  send(id: string, socket: WebSocket): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.socket = socket
    call.sends++
    // A failure ends the connection, which tells its owner: here it would be told twice.
    socket.send(call.bytes, () => {})
  }

  /**
   * Sends what was not yet sent on this connection: at least once in all, hence perhaps twice. A call is given up with
   * `CallTerminatedError` when the third connection has died under it.
   */
  sendAll(socket: WebSocket): void {
    for (const [id, call] of this.#calls) {
      if (call.socket === socket) continue
      if (call.sends < MAX_SENDS) this.send(id, socket)
      else this.settle(id, (given) => given.reject(new CallTerminatedError()))
    }
  }

  /** Does nothing when nobody waits for this answer. */
  settle(id: string, how: (call: Pick<Call, 'resolve' | 'reject'>) => void): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#calls.delete(id)
    how(call)
  }

  /**
   * The connection is gone. What restored the session on it is forgotten and never settles: the SDK would go on restoring on the
   * next connection, twice at a time, and then send everything twice.
   */
  forgetRestoring(): void {
    for (const [id, call] of this.#calls) if (call.restoring) this.#calls.delete(id)
  }

  /** Rejects every call that is the program's own. */
  end(): void {
    this.forgetRestoring()
    for (const id of [...this.#calls.keys()]) this.settle(id, (call) => call.reject(new CallTerminatedError()))
  }
}
