import { decodeValue, encodeArray, encodeValue, NULL, readElements } from './cbor.ts'
import type { Answer, Engine } from './engine.ts'
import { isConflict } from './engine-errors.ts'
import { inErrors } from './params-check.ts'
import { invalidParams, useNotAllowed } from './rpc-errors.ts'
import { isNone, isNull, textOf } from './rpc-request.ts'
import type { Selection, Session } from './session.ts'

// The calls that change a session. Each runs alone in it (call-order.ts).

/** `signin`, `signup`, `authenticate`, `refresh`: a session is signed in once the engine itself says as whom. */
export async function signIn(engine: Engine, session: Session, method: string, params: Buffer): Promise<Answer> {
  const answer = await engine.call({ method, params, session: session.engineId })
  if ('error' in answer) return answer
  return (await identify(engine, session, method)) ?? answer
}

/**
 * Also for a session that has been signed in before: if the engine does not confirm it, nobody is. Resolves with the error when what was
 * selected before the sign-in cannot be selected: a client that was told nothing would work nowhere.
 */
async function identify(engine: Engine, session: Session, method: string): Promise<Answer | undefined> {
  session.identity = undefined
  const asked = encodeArray([encodeValue('RETURN $session')])
  const answer = await engine.call({ method: 'query', params: asked, session: session.engineId })
  if (!('result' in answer)) return undefined
  const [statement] = decodeValue(answer.result) as readonly { readonly result?: SessionValue }[]
  const { tk: token, ns, db, exp } = statement?.result ?? {}
  session.until = typeof exp === 'number' ? exp : undefined
  if (typeof token !== 'object' || token === null) return undefined
  const actor = JSON.stringify([token.NS, token.DB, token.AC, token.ID])
  const identity = { actor, ...named('namespace', token.NS), ...named('database', token.DB) }
  // With an access method (a bearer key) nothing stays selected but what it is of.
  const forgets = method === 'signin' && typeof token.AC === 'string'
  const wanted = session.selectionPending && !forgets ? session.selection : {}
  session.selectionPending = false
  session.selection = { ...named('namespace', ns), ...named('database', db) }
  // The user's own namespace and database win; what the sign-in does not name stays as it was selected before.
  const both = { ...wanted, ...session.selection }
  const changed = both.namespace !== session.selection.namespace || both.database !== session.selection.database
  if (both.namespace !== undefined && changed) {
    const selected = await select(engine, session, both)
    if ('error' in selected) return selected
  }
  session.identity = identity
  return undefined
}

interface SessionValue {
  /** The token's claims; none before a sign-in. */
  readonly tk?: { readonly NS?: unknown; readonly DB?: unknown; readonly AC?: unknown; readonly ID?: unknown } | null
  readonly ns?: unknown
  readonly db?: unknown
  /** In seconds since 1970. */
  readonly exp?: unknown
}

function named<K extends string>(key: K, value: unknown): { readonly [key in K]?: string } {
  return (typeof value === 'string' ? { [key]: value } : {}) as { readonly [key in K]?: string }
}

/** `invalidate` and `reset`. Closed first: should the call fail, nobody is signed in. */
export async function signOut(engine: Engine, session: Session, method: 'invalidate' | 'reset'): Promise<Answer> {
  session.identity = undefined
  if (method === 'reset') {
    session.selection = {}
    session.selectionPending = false
  }
  return await engine.call({ method, session: session.engineId })
}

/**
 * `use`, in the three forms text (select), null (leave), NONE (as it is). The engine would end the process at a database
 * without a namespace, and would make the namespace of somebody who has not signed in; so both are decided here.
 */
export async function use(engine: Engine, session: Session, params: Buffer): Promise<Answer> {
  const [ns, db, ...more] = readElements(params)
  if (ns === undefined || db === undefined || more.length > 0) return { error: invalidParams('Expected (ns, db)') }
  const namespace = wish(ns)
  const database = wish(db)
  if (namespace === 'invalid')
    return { error: invalidParams(`Expected ns to be string, got ${await inErrors(engine, ns)}`) }
  if (database === 'invalid')
    return { error: invalidParams(`Expected db to be string, got ${await inErrors(engine, db)}`) }
  const asIs = namespace === 'as it is' && database === 'as it is'
  const wanted = asIs ? await defaults(engine, session) : apply(session.selection, namespace, database)
  if (wanted === 'no namespace') {
    // As the real server: the namespace is left although the call fails.
    if (session.identity !== undefined) await select(engine, session, {})
    else session.selection = {}
    return { error: invalidParams('Cannot set database without first selecting a namespace') }
  }
  if (session.identity === undefined) {
    session.selection = wanted
    session.selectionPending = true
    return { result: selectionValue(wanted) }
  }
  const { namespace: onlyNs, database: onlyDb } = session.identity
  if (onlyNs !== undefined && wanted.namespace !== undefined && wanted.namespace !== onlyNs) {
    return { error: useNotAllowed('namespace', wanted.namespace) }
  }
  if (onlyDb !== undefined && wanted.database !== undefined && wanted.database !== onlyDb) {
    return { error: useNotAllowed('database', wanted.database) }
  }
  return await select(engine, session, wanted)
}

type Wish = { readonly name: string } | 'none' | 'as it is' | 'invalid'

function wish(value: Buffer): Wish {
  const name = textOf(value)
  if (name !== undefined) return { name }
  if (isNull(value)) return 'none'
  return isNone(value) ? 'as it is' : 'invalid'
}

function apply(now: Selection, ns: Exclude<Wish, 'invalid'>, db: Exclude<Wish, 'invalid'>): Selection | 'no namespace' {
  const namespace = ns === 'as it is' ? now.namespace : ns === 'none' ? undefined : ns.name
  const database = db === 'as it is' ? now.database : db === 'none' ? undefined : db.name
  if (namespace === undefined) return typeof db === 'object' ? 'no namespace' : {}
  return { namespace, ...(database !== undefined && { database }) }
}

/** `use` with neither: what is selected, else what the database was told to be the default. */
async function defaults(engine: Engine, session: Session): Promise<Selection> {
  if (session.selection.namespace !== undefined) return session.selection
  const answer = await engine.call({ method: 'query', params: encodeArray([encodeValue('INFO FOR ROOT')]) })
  if (!('result' in answer)) return {}
  const [statement] = decodeValue(answer.result) as readonly { readonly result?: { readonly defaults?: Selection } }[]
  const { namespace, database } = statement?.result?.defaults ?? {}
  return { ...named('namespace', namespace), ...named('database', database) }
}

/** Selects in the engine, completely, so that both sides agree. A namespace or database that does not exist is made. */
export async function select(engine: Engine, session: Session, wanted: Selection): Promise<Answer> {
  const { namespace, database } = wanted
  const params = encodeArray([
    namespace === undefined ? NULL : encodeValue(namespace),
    database === undefined ? NULL : encodeValue(database),
  ])
  for (let conflicts = 0; ; conflicts++) {
    const answer = await engine.call({ method: 'use', params, session: session.engineId })
    if ('result' in answer) session.selection = wanted
    // Of several who make it at the same moment one does; for the others it is there then.
    if ('result' in answer || !isConflict(answer.error) || conflicts === MAX_CONFLICTS) return answer
  }
}

/** Each means that somebody else has made something. */
const MAX_CONFLICTS = 100

function selectionValue({ namespace, database }: Selection): Buffer {
  return encodeValue({ database, namespace })
}
