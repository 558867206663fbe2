/**
 * How the runner and a client talk: as an actor does (see `actor/protocol.ts`), with these requests. A client is one process of a
 * program that uses the service; it says `{"ready":true}` once its modules are loaded, and connects only when it is told to.
 */
export interface Answers {
  /** `connect`: one more connection, kept on a stack, until it is signed in. The pids are those that serve it, where there are any. */
  connect: { readonly tookMs: number; readonly server?: number; readonly guardian?: number }
  /** `close`: closes the newest connection. */
  close: { readonly closed: true }
  /** `compare ROUNDS`: in turns a connection of this service and one of the bare SDK to the same server, each closed again. Milliseconds. */
  compare: { readonly own: readonly number[]; readonly bare: readonly number[] }
  /** `small IN_FLIGHT MS`: small queries for so long. Latencies thinned to 1,000. */
  small: { readonly queries: number; readonly tookMs: number; readonly latencyMs: readonly number[] }
  /** `fill FROM TO BYTES BATCH`: makes the rows FROM to TO - 1 with BYTES that cannot be compressed, BATCH rows a request. */
  fill: { readonly tookMs: number }
  /** `lookup ROWS MS`: reads one of that many rows by its id, again and again. Thinned to 1,000. */
  lookup: { readonly queries: number; readonly latencyMs: readonly number[] }
  /** `read ROWS`: that many rows in one result. */
  read: { readonly tookMs: number; readonly bytes: number }
  /** `answer`: one query, however long it takes; `atNs` of CLOCK_MONOTONIC when it was answered, as text. */
  answer: { readonly atNs: string }
}

export type Verb = keyof Answers
