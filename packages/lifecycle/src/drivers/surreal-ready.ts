import { identify } from '@procref/core'
import { pause } from '../delay.ts'
import type { LaunchContext, ServerDetails } from '../driver.ts'
import { proveListener } from '../identity/listener.ts'
import { NotProvenError, type ProveServer } from '../identity/proven-dial.ts'
import { lastWords } from '../state/server-log.ts'
import { type AskedServer, ask } from '../wait/http.ts'
import type { LookContext, WaitContext, WaitStrategy } from '../wait/wait.ts'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from './default-database.ts'
import { CredentialsRefusedError, ServerNotReadyError } from './errors.ts'
import { damageIn } from './surreal-failures.ts'
import { isRetryable, whyNotCommitted, writeThatLeavesNothing } from './surreal-writes.ts'

const QUERY_MS = 10_000
const LAST_WORDS = 50

const STATEMENTS = [
  `DEFINE NAMESPACE IF NOT EXISTS ${DEFAULT_NAMESPACE};`,
  `USE NS ${DEFAULT_NAMESPACE};`,
  `DEFINE DATABASE IF NOT EXISTS ${DEFAULT_DATABASE};`,
].join(' ')

const RETRY_MS = 100

/** Nobody but this very child is sent anything. */
type Child = Required<AskedServer>

/**
 * Ready when the server answers an authenticated query, which also makes the default namespace and database: simultaneous
 * first clients would fail each other's transactions.
 *
 * Guarantee: data that the server finds damaged are `DatabaseDamagedError` at once. Only this very child is sent anything, and the password, where the system can be asked
 * (Linux): `dialProven`.
 */
export function answersQueries(context: LaunchContext, pid: number): WaitStrategy {
  return {
    what: 'SurrealDB to answer an authenticated query',
    tellsHealth: false,
    look: async (wait) => {
      const child = { ...wait, prove: proofOf(context, pid) }
      const missing = await unhealthy(child)
      if (missing === undefined) return await refused(context, child)
      // It tries to read a damaged block again and again, for a minute.
      const damage = damageIn(lastWords(wait.logFile, LAST_WORDS, wait.logStart), context.databaseDir)
      if (damage !== undefined) throw damage
      return missing
    },
  }
}

/** `GET /version` answers `surrealdb-3.3.5`, in all versions. */
export async function askVersion(context: LaunchContext, pid: number, wait: WaitContext): Promise<ServerDetails> {
  const answer = await ask({ ...wait, prove: proofOf(context, pid) }, { path: '/version', timeout: QUERY_MS })
  const version = typeof answer === 'string' ? undefined : /\d+\.\d+\.\d+\S*/.exec(answer.body)?.[0]
  return version === undefined ? {} : { version }
}

/**
 * `GET /health` reads from the database; what is wrong with the answer, if anything. Less than a query as the owner asks, but
 * without the password. One that is forbidden (`--deny-http`) is an answer as well.
 */
export async function answersHealth(
  context: LaunchContext,
  pid: number,
  look: LookContext,
): Promise<string | undefined> {
  const child = { ...look, prove: proofOf(context, pid) }
  const answer = await ask(child, { path: '/health', ...(look.answerMs && { timeout: look.answerMs }) })
  if (typeof answer === 'string') return answer
  return answer.status < 500 ? undefined : `GET /health answers ${answer.status}`
}

/** Versions before 3.2 have no `/ready`. */
async function unhealthy(child: Child): Promise<string | undefined> {
  let path = '/ready'
  let answer = await ask(child, { path })
  if (typeof answer !== 'string' && answer.status === 404) {
    path = '/health'
    answer = await ask(child, { path })
  }
  if (typeof answer === 'string') return answer
  return answer.status === 200 ? undefined : `GET ${path} answers ${answer.status}`
}

/** Whoever had the port first may well answer: the server binds late, and only then learns that it is taken. */
function proofOf({ host, port }: LaunchContext, pid: number): ProveServer {
  return () => {
    const server = identify(pid)
    if (server === undefined) throw new NotProvenError('its process is gone')
    const proof = proveListener({ host, port, server })
    if (proof === 'nobody') throw new NotProvenError(`nobody listens on ${host}:${port}`)
    if (proof === 'stranger') throw new NotProvenError(`what listens on ${host}:${port} is not process ${pid}`)
  }
}

/**
 * Commits a write that leaves nothing behind; what is wrong, if it does not. A conflict with others is neither: it is tried again. The password is
 * sent as by `answersQueries`.
 */
export async function commitsWrites(
  context: LaunchContext,
  pid: number,
  look: LookContext,
): Promise<string | undefined> {
  const child = { ...look, prove: proofOf(context, pid) }
  for (;;) {
    const answer = await query(context, child, writeThatLeavesNothing(), look.answerMs ?? QUERY_MS)
    if (typeof answer === 'string') return answer
    const failures = failedStatements(answer.body)
    if (failures === undefined) return `POST /sql answers ${answer.status} ${answer.body.slice(0, 500)}`
    if (failures.length === 0) return undefined
    if (!failures.some(isRetryable)) return whyNotCommitted(failures)
    await pause(RETRY_MS, look.signal)
  }
}

async function query(
  context: LaunchContext,
  child: Child,
  statements: string,
  timeout: number,
): ReturnType<typeof ask> {
  const { user, password } = context.credentials
  const headers = { accept: 'application/json' }
  return await ask(child, { method: 'POST', path: '/sql', headers, auth: `${user}:${password}`, timeout }, statements)
}

async function refused(context: LaunchContext, child: Child): Promise<string | undefined> {
  const answer = await query(context, child, STATEMENTS, QUERY_MS)
  if (typeof answer === 'string') return answer
  const { status, body } = answer
  if (status === 401 || status === 403) throw new CredentialsRefusedError(context.databaseDir)
  const said = `POST /sql answers ${status} ${body.slice(0, 500)}`
  if (status >= 500) return said
  if (status !== 200) throw new ServerNotReadyError(`SurrealDB to answer a query (seen: ${said})`)
  const failures = failedStatements(body)
  if (failures === undefined) throw new ServerNotReadyError(`SurrealDB to answer JSON (seen: ${said})`)
  if (failures.length === 0) return undefined
  if (failures.some(isRetryable)) return failures.join('; ')
  throw new ServerNotReadyError(`SurrealDB to make its default database (seen: ${failures.join('; ')})`)
}

/** What each failed statement says; `undefined` when the answer is not a list of results. */
function failedStatements(body: string): readonly string[] | undefined {
  let results: unknown
  try {
    results = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!Array.isArray(results)) return undefined
  return results
    .filter((result: { status?: unknown }) => result.status !== 'OK')
    .map((result: { result?: unknown }) => String(result.result))
}
