import type { SignIn } from '../surreal/connection.ts'
import { externalUrl } from './external-url.ts'

/**
 * Who signs in: the server's administrator (`user`, `password`), one of a namespace or of a database (with their names), or whoever the
 * `token` (a JWT) is for.
 */
export type ExternalCredentials =
  | { readonly user: string; readonly password: string; readonly namespace?: string; readonly database?: string }
  | { readonly token: string }

export interface ExternalOptions {
  /** `wss://db.example.com:8000`; `https://…` means the same. `ws://` and `http://` only on this machine, see `allowPlaintext`. */
  readonly url: string | URL
  /**
   * Values, or a function that is asked at each sign-in: at connect(), when a token has expired, and after a reconnection where the last
   * token is not accepted any more. What it throws fails connect(); later it is asked again until the lease is lost.
   */
  readonly credentials: ExternalCredentials | (() => ExternalCredentials | Promise<ExternalCredentials>)
  /** Let `ws://` and `http://` lead to another machine: whoever is on the way reads the password and the data. Default false. */
  readonly allowPlaintext?: boolean
  /**
   * How often the server is asked whether it is still there, ms. One that leaves two of these questions without an answer is dialled anew.
   * Default 30,000.
   */
  readonly pingMs?: number
}

/**
 * A server that procref does not run. No `ServerDriver`: nothing is launched, so no guardian has to rebuild it, and no descriptor of it
 * could end up in a file.
 */
export interface ExternalDriver {
  readonly name: 'external'
  readonly placement: 'elsewhere'
  /** Of its WebSocket; never with a password in it. */
  readonly url: string
  readonly pingMs: number
  /** What to sign in with now: a secret. */
  signIn(): Promise<SignIn>
}

const PING_MS = 30_000
/** setInterval takes no longer one, and it is waited for twice as long. */
const LONGEST_PING_MS = 2 ** 30 - 1

/**
 * A SurrealDB that somebody else runs, on another machine or as a cluster, for those who outgrow one machine: `connect({ driver:
 * external({ url, credentials }) })`.
 *
 * Guarantee: no guardian is launched, and no server is started or stopped. Neither password nor token is in a file, a log, an error's
 * message or a command line, nor in what is printed of this object; over `wss://` they go only to a server whose certificate is trusted
 * (`NODE_EXTRA_CA_CERTS` names further authorities).
 * Unspecified: which of a cluster's servers answers, and whether the data are durable there.
 * Caller: run the server, and make the user.
 * Throws `TypeError` for an address or credentials that cannot be meant.
 */
export function external(options: ExternalOptions): ExternalDriver {
  const { allowPlaintext = false, pingMs = PING_MS, credentials } = options
  const url = externalUrl(options.url, allowPlaintext)
  if (!Number.isInteger(pingMs) || pingMs < 1 || pingMs > LONGEST_PING_MS) {
    throw new TypeError(`pingMs must be a whole number from 1 to ${LONGEST_PING_MS}, not ${pingMs}`)
  }
  if (typeof credentials !== 'function') checkCredentials(credentials)
  return new ServerElsewhere(url, pingMs, credentials)
}

/** The credentials are private to the language: not printed, not serialised. */
class ServerElsewhere implements ExternalDriver {
  readonly name = 'external'
  readonly placement = 'elsewhere'
  readonly url: string
  readonly pingMs: number
  readonly #credentials: ExternalOptions['credentials']

  constructor(url: URL, pingMs: number, credentials: ExternalOptions['credentials']) {
    this.url = url.href
    this.pingMs = pingMs
    this.#credentials = credentials
  }

  async signIn(): Promise<SignIn> {
    const given = typeof this.#credentials === 'function' ? await this.#credentials() : this.#credentials
    checkCredentials(given)
    if ('token' in given) return { token: given.token }
    const { user, password, namespace, database } = given
    return {
      user,
      password,
      ...(namespace !== undefined && { namespace }),
      ...(database !== undefined && { database }),
    }
  }
}

/** Programs in JavaScript take them from the environment, where they may be missing. No message has a value in it. */
function checkCredentials(given: unknown): asserts given is ExternalCredentials {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError('credentials: { user, password } or { token } are needed; external() has none of its own')
  }
  const field = (name: string): unknown => (given as Readonly<Record<string, unknown>>)[name]
  const isText = (name: string): boolean => typeof field(name) === 'string' && field(name) !== ''
  if (field('token') !== undefined) {
    if (!isText('token')) throw new TypeError('credentials: token is empty, or no text')
    if (field('user') !== undefined || field('password') !== undefined) {
      throw new TypeError('credentials: either a token, or user and password')
    }
    return
  }
  for (const name of ['user', 'password']) {
    if (!isText(name)) throw new TypeError(`credentials: ${name} is missing or empty (a variable that is not set?)`)
  }
  for (const name of ['namespace', 'database']) {
    if (field(name) !== undefined && !isText(name)) throw new TypeError(`credentials: ${name} is empty, or no text`)
  }
  if (field('database') !== undefined && field('namespace') === undefined) {
    throw new TypeError('credentials: the user of a database has a namespace, too')
  }
}
