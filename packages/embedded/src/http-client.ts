import type { IncomingHttpHeaders } from 'node:http'
import { decodeValue, encodeArray, encodeValue } from './cbor.ts'
import type { Answer, Engine } from './engine.ts'
import { asReal } from './engine-errors.ts'
import type { Selection, Session } from './session.ts'
import { select, signIn } from './session-changes.ts'

/** How a request proves who sent it. */
type Proof =
  | { readonly kind: 'password'; readonly user: string; readonly password: string; readonly of: Selection }
  | { readonly kind: 'token'; readonly token: string }

/**
 * Gives the session what the headers of a request say: who sent it, and the namespace and database. Resolves with the
 * message of the refusal, if there is one.
 */
export async function applyHeaders(
  engine: Engine,
  session: Session,
  headers: IncomingHttpHeaders,
): Promise<string | undefined> {
  return (await authorize(engine, session, headers)) ?? (await selectFromHeaders(engine, session, headers))
}

const NOT_AUTHENTICATED = 'There was a problem with authentication'
/** Of a database without its namespace. */
const NO_TARGET = 'No signin target to either SC or DB or NS or KV'

/**
 * Signs the session in as the request's headers say: `Authorization` (Basic, for a user of the namespace and database in
 * `surreal-auth-ns` and `-db`, or Bearer). A scheme that is not known counts as nothing at all, as with the real server.
 */
async function authorize(engine: Engine, session: Session, headers: IncomingHttpHeaders): Promise<string | undefined> {
  const proof = proofIn(headers)
  if (proof === undefined) return undefined
  const answer = await session.order.alone(() => {
    if (proof.kind === 'token') return signIn(engine, session, 'authenticate', encodeArray([encodeValue(proof.token)]))
    const { user, password, of } = proof
    const { namespace, database } = of
    const login = { user, pass: password, ...(namespace !== undefined && { ns: namespace }) }
    const params = encodeArray([encodeValue({ ...login, ...(database !== undefined && { db: database }) })])
    return signIn(engine, session, 'signin', params)
  })
  const message = messageOf(asReal(proof.kind === 'token' ? 'authenticate' : 'signin', answer))
  return message === NO_TARGET ? NOT_AUTHENTICATED : message
}

/** Does the request ask to be somebody? */
export function hasProof(headers: IncomingHttpHeaders): boolean {
  return proofIn(headers) !== undefined
}

/**
 * Selects the namespace and database of the headers `surreal-ns` and `surreal-db`; what a token is of wins. The engine lets a session
 * select whatever its `use` says: that nobody gets out of the namespace or database that they are a user of is decided here.
 */
async function selectFromHeaders(
  engine: Engine,
  session: Session,
  headers: IncomingHttpHeaders,
): Promise<string | undefined> {
  const { identity } = session
  if (identity === undefined) return undefined
  const own: Selection = proofIn(headers)?.kind === 'token' ? identity : {}
  const namespace = own.namespace ?? headerOf(headers, 'surreal-ns')
  const database = own.database ?? headerOf(headers, 'surreal-db')
  if (namespace === undefined) return undefined
  const foreign =
    (identity.namespace ?? namespace) !== namespace ||
    (database !== undefined && (identity.database ?? database) !== database)
  if (foreign) return database === undefined ? undefined : NOT_AUTHENTICATED
  await selectExisting(engine, session, { namespace, ...(database !== undefined && { database }) })
  return undefined
}

/**
 * Selects for one request. What does not exist is not made by a request: nothing is selected then, and statements that need it say so.
 * Resolves with whether all of it is selected. Caller: somebody has signed in.
 */
export async function selectExisting(
  engine: Engine,
  session: Session,
  { namespace, database }: { readonly namespace: string; readonly database?: string },
): Promise<boolean> {
  if (!(await exists(engine, 'INFO FOR ROOT', undefined, 'namespaces', namespace))) return false
  const found = database !== undefined && (await exists(engine, 'INFO FOR NS', namespace, 'databases', database))
  const answer = await session.order.alone(() => select(engine, session, { namespace, ...(found && { database }) }))
  return 'result' in answer && found === (database !== undefined)
}

/** Asked as the owner. The namespace exists by then, so `USE` does not make it. */
async function exists(
  engine: Engine,
  info: string,
  within: string | undefined,
  list: 'namespaces' | 'databases',
  name: string,
): Promise<boolean> {
  const statements = within === undefined ? info : `USE NS $within; ${info}`
  const answer = await engine.call({
    method: 'query',
    params: encodeArray([encodeValue(statements), encodeValue({ within })]),
  })
  if (!('result' in answer)) return false
  const last = (decodeValue(answer.result) as readonly { readonly result?: Readonly<Record<string, unknown>> }[]).at(-1)
  return Object.hasOwn((last?.result?.[list] ?? {}) as object, name)
}

function proofIn(headers: IncomingHttpHeaders): Proof | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(headers.authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: value }
  if (scheme.toLowerCase() !== 'basic' || !/^[\w+/-]+=*$/.test(value)) return undefined
  const decoded = Buffer.from(value, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon === -1) return undefined
  const namespace = headerOf(headers, 'surreal-auth-ns')
  const database = headerOf(headers, 'surreal-auth-db')
  return {
    kind: 'password',
    user: decoded.slice(0, colon),
    password: decoded.slice(colon + 1),
    of: { ...(namespace !== undefined && { namespace }), ...(database !== undefined && { database }) },
  }
}

/** What a request has not chosen that needs a database, as the real server says it. */
export function missingSelection({ selection: now }: Session, headers: IncomingHttpHeaders): string | undefined {
  if (now.namespace === undefined && headerOf(headers, 'surreal-ns') === undefined) return 'Specify a namespace to use'
  if (now.database === undefined && headerOf(headers, 'surreal-db') === undefined) return 'Specify a database to use'
  return undefined
}

/** Of a header that may be there once; empty counts as missing. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What an answer says went wrong, in words. */
export function messageOf(answer: Answer): string | undefined {
  if (!('error' in answer)) return undefined
  const { message } = decodeValue(answer.error) as { readonly message?: unknown }
  return typeof message === 'string' ? message : 'unknown error'
}
