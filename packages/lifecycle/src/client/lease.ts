import type { Slot } from '@procref/core'
import type { Endpoint } from '../driver.ts'

/**
 * A share in the running server: while it lasts the server is not stopped, and a server that dies is brought back.
 * Ends by `close()`, by `lost`, or with the process, however that dies.
 */
export interface ServiceLease<Server = LeasedServer> extends AsyncDisposable {
  /** A deleted slot file is replaced by another slot: read it anew each time. */
  readonly slot: Slot
  /** The life of the server that the lease talks to now; grows at each start. */
  readonly epoch: number
  /**
   * Fires, with a typed error as reason, when the lease cannot be kept: nothing comes back on it afterwards. A directory that cannot be
   * looked at for the moment (no descriptor, no memory, a disk that fails) ends it once that has lasted for `timeoutMs`.
   */
  readonly lost: AbortSignal
  readonly server: Server
  /**
   * Calls `listener` after the server was replaced and is reachable again; returns the function that stops that. Writes in
   * flight at the time may have been carried out, or be carried out twice. What a listener throws is an uncaught exception of the program,
   * and nothing to the lease.
   */
  onReconnect(listener: (event: ReconnectEvent<Server>) => void): () => void
  /** Gives the slot back. Never waits for the server to stop. Idempotent; a second call joins the first. */
  close(): Promise<void>
}

export interface ReconnectEvent<Server = LeasedServer> {
  readonly epoch: number
  readonly server: Server
}

/** A server of this machine, which procref runs. */
export interface LeasedServer extends Endpoint {
  readonly external: false
  readonly pid: number
  readonly guardianPid: number
  readonly driver: string
  readonly version?: string
  /** False: what was written is gone when the server stops (memory storage, or a directory in memory). */
  readonly durable: boolean
}
