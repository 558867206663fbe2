import { setTimeout as after } from 'node:timers/promises'
import { CredentialsRefusedError, isRetryable, whyNotCommitted, writeThatLeavesNothing } from '@procref/lifecycle'
import { decodeValue, encodeArray, encodeValue } from './cbor.ts'
import type { Engine } from './engine.ts'
import { openError } from './open-error.ts'

/** As the real server. */
const DEFAULT_NAMESPACE = 'main'
const DEFAULT_DATABASE = 'main'

const RETRY_MS = 100

interface Login {
  readonly user: string
  readonly password: string
}

/**
 * Makes a database that was just opened ready for clients: the root user, if there is none yet, and the default namespace
 * and database. Ends with a query as that user. Throws `CredentialsRefusedError` if the database knows another password.
 */
export async function prepareDatabase(engine: Engine, login: Login, path: string): Promise<void> {
  const session = 'ffffffff-ffff-4fff-bfff-ffffffffffff'
  const owner = async (statements: string, variables: object = {}): Promise<readonly unknown[]> => {
    const params = encodeArray([encodeValue(statements), encodeValue(variables)])
    return resultsOf(await engine.call({ method: 'query', params }), path)
  }
  const [info] = (await owner('INFO FOR ROOT')) as [{ readonly users: object; readonly defaults?: object }]
  // Cut short between the first user and this, a new database has no default yet: asked for one by one.
  await owner(
    'DEFINE NAMESPACE IF NOT EXISTS $namespace; USE NS $namespace; DEFINE DATABASE IF NOT EXISTS $database; ' +
      (Object.keys(info.users).length === 0
        ? 'DEFINE CONFIG IF NOT EXISTS DEFAULT NAMESPACE $namespace DATABASE $database;'
        : ''),
    { namespace: DEFAULT_NAMESPACE, database: DEFAULT_DATABASE },
  )
  if (Object.keys(info.users).length === 0) {
    // A password cannot be a variable here.
    await owner(`DEFINE USER $user ON ROOT PASSWORD ${quoted(login.password)} ROLES OWNER`, { user: login.user })
  }
  // Some statements can be run only where a database is selected, whatever they are about.
  const selected = encodeArray([encodeValue(DEFAULT_NAMESPACE), encodeValue(DEFAULT_DATABASE)])
  await engine.call({ method: 'use', params: selected })
  await engine.call({ method: 'attach', session })
  try {
    const signIn = encodeArray([encodeValue({ user: login.user, pass: login.password })])
    const answer = await engine.call({ method: 'signin', params: signIn, session })
    if ('error' in answer) throw new CredentialsRefusedError(path)
    const query = encodeArray([encodeValue('RETURN 1')])
    resultsOf(await engine.call({ method: 'query', params: query, session }), path)
  } finally {
    await engine.call({ method: 'detach', session })
  }
}

/**
 * Resolves when the engine answers a query. In the engine's own session, which nobody changes once the database is prepared: a
 * query cannot meet a change of its session there, at which it would hang.
 */
export async function checkPulse(engine: Engine): Promise<void> {
  const answer = await engine.call({ method: 'query', params: encodeArray([encodeValue('RETURN 1')]) })
  if ('error' in answer) throw new Error(`the engine answers ${JSON.stringify(decodeValue(answer.error))}`)
}

/** Commits a write that leaves nothing behind. Rejects with what the engine says instead; a conflict with others is tried again until `signal` is aborted. */
export async function checkCommit(engine: Engine, signal: AbortSignal): Promise<void> {
  const params = encodeArray([encodeValue(writeThatLeavesNothing())])
  for (;;) {
    const answer = await engine.call({ method: 'query', params })
    if ('error' in answer) throw new Error(`the engine answers ${JSON.stringify(decodeValue(answer.error))}`)
    const statements = decodeValue(answer.result) as readonly { readonly status: string; readonly result: unknown }[]
    const failures = statements.flatMap(({ status, result }) => (status === 'OK' ? [] : String(result)))
    if (failures.length === 0) return
    if (!failures.some(isRetryable)) throw new Error(whyNotCommitted(failures))
    await after(RETRY_MS, undefined, { signal })
  }
}

/** A text in SurrealQL: whatever is in it, it ends where we end it. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function resultsOf(answer: Awaited<ReturnType<Engine['call']>>, path: string): readonly unknown[] {
  if ('error' in answer) throw openError(path, decodeValue(answer.error))
  const statements = decodeValue(answer.result) as readonly { readonly status: string; readonly result: unknown }[]
  const failed = statements.find(({ status }) => status !== 'OK')
  if (failed !== undefined) throw openError(path, new Error(String(failed.result)))
  return statements.map(({ result }) => result)
}
