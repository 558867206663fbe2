import { CallOrder } from './call-order.ts'

/** Who the engine says the session is, after a sign-in. */
export interface Identity {
  /** The same text for the same user of the same level and access. */
  readonly actor: string
  /** The only namespace and database it may work in; a root user has neither limit. */
  readonly namespace?: string
  readonly database?: string
}

export interface Selection {
  readonly namespace?: string
  readonly database?: string
}

/** One session of a client, and its counterpart in the engine. */
export interface Session {
  /** The client's name for it; `undefined`: the one a connection begins with. */
  readonly clientId: string | undefined
  readonly engineId: string
  readonly order: CallOrder
  /**
   * Who it is signed in as. The engine takes a session without one for the owner of everything: only what gate.ts lists may
   * then be called.
   */
  identity: Identity | undefined
  /**
   * When it is over, in seconds since 1970, as the last sign-in says; the engine sees to it. A session that is left by a sign-out is over
   * at that time all the same, as with the real server.
   */
  until: number | undefined
  /** What it works in. Kept here as well, because the engine panics at a database without a namespace. */
  selection: Selection
  /** The selection was made before the sign-in, and the engine does not know it yet. */
  selectionPending: boolean
}

export function newSession(clientId: string | undefined, engineId: string): Session {
  return {
    clientId,
    engineId,
    order: new CallOrder(),
    identity: undefined,
    until: undefined,
    selection: {},
    selectionPending: false,
  }
}

/** As the servers look at it: a session lasts to the end of its last second. */
export function isOver(until: number | undefined): boolean {
  return until !== undefined && Math.floor(Date.now() / 1000) > until
}
