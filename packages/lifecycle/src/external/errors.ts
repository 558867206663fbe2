import { ProcrefError } from '@procref/core'

interface Cause {
  readonly cause?: unknown
}

/** There was no connection to the external server for as long as it may take: at connect(), or while a lease lasted. */
export class ExternalUnreachableError extends ProcrefError {
  static readonly code = 'PROCREF_EXTERNAL_UNREACHABLE'
  readonly url: string
  readonly timeoutMs: number
  /** What the last attempt came to. */
  readonly reason: string
  constructor(facts: { readonly url: string; readonly timeoutMs: number; readonly reason: string }, options?: Cause) {
    super(
      ExternalUnreachableError.code,
      `No connection to the SurrealDB at ${facts.url} within ${facts.timeoutMs} ms; the last attempt: ${facts.reason}. ` +
        'Check the address, and that the server runs and lets this machine in; `timeoutMs` (`--timeout`) allows more time.',
      options,
    )
    this.url = facts.url
    this.timeoutMs = facts.timeoutMs
    this.reason = facts.reason
  }
}

/** The external server is there and said no. Its own words are in `reason` and in `cause`. */
export class ExternalRefusedError extends ProcrefError {
  static readonly code = 'PROCREF_EXTERNAL_REFUSED'
  readonly url: string
  readonly refused: 'credentials' | 'session' | 'definition'
  readonly reason: string
  constructor(
    facts: { readonly url: string; readonly refused: ExternalRefusedError['refused']; readonly reason: string },
    options?: Cause,
  ) {
    const { what, remedy } = REFUSED[facts.refused]
    super(
      ExternalRefusedError.code,
      `The SurrealDB at ${facts.url} refused ${what}: ${facts.reason}. ${remedy}`,
      options,
    )
    this.url = facts.url
    this.refused = facts.refused
    this.reason = facts.reason
  }
}

const REFUSED = {
  credentials: {
    what: 'the credentials',
    remedy:
      'Check user and password, and where the user is defined: one of a namespace or a database needs `namespace` (and `database`) among ' +
      'the credentials. A token may have expired: give a function that makes a new one.',
  },
  session: {
    what: 'the session',
    remedy: 'Check namespace and database, and what the server allows clients to do.',
  },
  definition: {
    what: 'to make namespace and database',
    remedy: 'Let its administrator make them, or connect as a user who may.',
  },
}

/** The encrypted connection could not be made; nothing was sent over it. */
export class ExternalTlsError extends ProcrefError {
  static readonly code = 'PROCREF_EXTERNAL_TLS'
  readonly url: string
  /** Node's or OpenSSL's own, such as `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly reason: string
  constructor(facts: { readonly url: string; readonly reason: string; readonly explanation: string }, options?: Cause) {
    super(
      ExternalTlsError.code,
      `No encrypted connection to ${facts.url} (${facts.reason}: ${facts.explanation}), so nothing was sent. ` +
        'A certificate of an authority of your own: start the program with NODE_EXTRA_CA_CERTS=/path/to/its-certificate.pem. ' +
        'A server without TLS: wss:// and https:// do not lead to it.',
      options,
    )
    this.url = facts.url
    this.reason = facts.reason
  }
}

/** Something answers at the address, and it is no SurrealDB (or not at this path). */
export class ExternalNotSurrealError extends ProcrefError {
  static readonly code = 'PROCREF_EXTERNAL_NOT_SURREALDB'
  readonly url: string
  readonly reason: string
  constructor(facts: { readonly url: string; readonly reason: string }, options?: Cause) {
    super(
      ExternalNotSurrealError.code,
      `What answers at ${facts.url} is not SurrealDB's WebSocket (${facts.reason}). Check host, port and path; a proxy in between has to ` +
        'let WebSockets through.',
      options,
    )
    this.url = facts.url
    this.reason = facts.reason
  }
}
