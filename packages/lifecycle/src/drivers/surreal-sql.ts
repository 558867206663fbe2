import { request } from 'node:http'
import type { Credentials, Endpoint } from '../driver.ts'
import { ServerNotReadyError } from './errors.ts'

/** Where clients are unless they ask for something else. */
export const DEFAULT_NAMESPACE = 'main'
export const DEFAULT_DATABASE = 'main'

const RETRY_MS = 50

/**
 * The first authenticated query: makes the default namespace and database before anybody connects, since simultaneous first
 * clients would fail each other's transactions. Resolves with the server's version.
 */
export async function makeDefaultDatabase(
  server: Endpoint & { readonly credentials: Credentials },
  signal: AbortSignal,
): Promise<string> {
  const statement =
    `DEFINE NAMESPACE IF NOT EXISTS ${DEFAULT_NAMESPACE}; USE NS ${DEFAULT_NAMESPACE}; ` +
    `DEFINE DATABASE IF NOT EXISTS ${DEFAULT_DATABASE};`
  let last = 'none'
  while (!signal.aborted) {
    const answer = await post(server, statement)
    if (answer.status === 200 && !answer.body.includes('"status":"ERR"')) return answer.version
    last = `HTTP ${answer.status} ${answer.body.slice(0, 500)}`
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  throw new ServerNotReadyError(`an authenticated query to succeed (the last answer: ${last})`, signal.reason)
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly version: string
}

function post(server: Endpoint & { readonly credentials: Credentials }, statement: string): Promise<Answer> {
  const { host, port, credentials } = server
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, body: error.message, version: '' })
    const options = {
      host,
      port,
      path: '/sql',
      method: 'POST',
      agent: false,
      timeout: 5_000,
      headers: { accept: 'application/json' },
      auth: `${credentials.user}:${credentials.password}`,
    }
    const asked = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.once('error', failed)
      response.once('end', () => {
        const version = String(response.headers['surreal-version'] ?? response.headers.server ?? '')
        resolve({ status: response.statusCode ?? 0, body, version: version.replace(/^surrealdb[-/]/, '') })
      })
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', failed)
    asked.end(statement)
  })
}
